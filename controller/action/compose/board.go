package compose

import (
	"slices"
	"strings"
	"sync"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
)

// maxBoardText is how much of what compose says of a service is shown, in bytes.
const maxBoardText = 300

// board shows the state of each service while a deploy goes on, as status.result and, on
// each change, as a line of the log.
type board struct {
	out action.Sink

	mu       sync.Mutex
	services map[string]health.ServiceState
	exitCode *int
}

// result is the shape of status.result.
type result struct {
	// ExitCode is docker compose's; unset while it runs.
	ExitCode *int                  `json:"exitCode,omitempty"`
	Services []health.ServiceState `json:"services,omitempty"`
}

func newBoard(out action.Sink, m *rendering, wants map[string]health.Want) *board {
	b := &board{out: out, services: map[string]health.ServiceState{}}
	for name, w := range wants {
		if w.Containers > 0 {
			b.services[name] = health.ServiceState{Name: name, State: "pending", Image: m.image(name)}
		}
	}
	b.show()
	return b
}

// set notes what compose says it does for a service; its own progress lines tell it in
// the log.
func (b *board) set(name, state, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.services[name]
	if !ok || s.State == state && s.Message == message {
		return
	}
	s.State, s.Message = state, engine.Clip(message, maxBoardText)
	b.services[name] = s
	b.show()
}

// take notes what was seen of the services and reports whether anything has changed.
func (b *board) take(services []health.ServiceState) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := false
	for _, s := range services {
		was := b.services[s.Name]
		if was.Same(s) {
			continue
		}
		changed = true
		b.services[s.Name] = s
		if was.State != s.State || was.Restarts != s.Restarts {
			line := s.Name + ": " + s.State
			if s.Message != "" {
				line += ", " + s.Message
			}
			b.out.Line(action.System, line)
		}
	}
	if changed {
		b.show()
	}
	return changed
}

// exited notes docker compose's exit code.
func (b *board) exited(code int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exitCode = &code
	b.show()
}

func (b *board) show() {
	if r := b.encode(); r != nil {
		b.out.Result(*r)
	}
}

// result is what is shown now; nil: nothing.
func (b *board) result() *v1.JSON {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.encode()
}

func (b *board) encode() *v1.JSON {
	r := result{ExitCode: b.exitCode}
	for _, s := range b.services {
		r.Services = append(r.Services, s)
	}
	slices.SortFunc(r.Services, func(x, y health.ServiceState) int { return strings.Compare(x.Name, y.Name) })
	encoded, err := v1.NewJSON(r)
	if err != nil {
		return nil // strings and numbers can always be encoded
	}
	return &encoded
}
