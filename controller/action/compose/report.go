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

// maxReportText is how much of what compose says of a service is shown, in bytes.
const maxReportText = 300

// report shows the state of each service while a deploy goes on, as status.result and, on
// each change, as a line of the log.
type report struct {
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

func newReport(out action.Sink, m *rendering, wants map[string]health.Want) *report {
	r := &report{out: out, services: map[string]health.ServiceState{}}
	for name, w := range wants {
		if w.Containers > 0 {
			r.services[name] = health.ServiceState{Name: name, State: "pending", Image: m.image(name)}
		}
	}
	r.show()
	return r
}

// set notes what compose says it does for a service; its own progress lines tell it in
// the log.
func (r *report) set(name, state, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.services[name]
	if !ok || s.State == state && s.Message == message {
		return
	}
	s.State, s.Message = state, engine.Clip(message, maxReportText)
	r.services[name] = s
	r.show()
}

// observe notes what was seen of the services and reports whether anything has changed.
func (r *report) observe(services []health.ServiceState) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for _, s := range services {
		was := r.services[s.Name]
		if was.Same(s) {
			continue
		}
		changed = true
		r.services[s.Name] = s
		if was.State != s.State || was.Restarts != s.Restarts {
			line := s.Name + ": " + s.State
			if s.Message != "" {
				line += ", " + s.Message
			}
			r.out.Line(action.System, line)
		}
	}
	if changed {
		r.show()
	}
	return changed
}

// exited notes docker compose's exit code.
func (r *report) exited(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exitCode = &code
	r.show()
}

func (r *report) show() {
	if encoded := r.encode(); encoded != nil {
		r.out.Result(*encoded)
	}
}

// result is what is shown now; nil: nothing.
func (r *report) result() *v1.JSON {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.encode()
}

func (r *report) encode() *v1.JSON {
	shown := result{ExitCode: r.exitCode}
	for _, s := range r.services {
		shown.Services = append(shown.Services, s)
	}
	slices.SortFunc(shown.Services, func(x, y health.ServiceState) int { return strings.Compare(x.Name, y.Name) })
	encoded, err := v1.NewJSON(shown)
	if err != nil {
		return nil // strings and numbers can always be encoded
	}
	return &encoded
}
