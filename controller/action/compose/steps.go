package compose

import (
	"slices"
	"strings"
	"sync"

	"jobwright.dev/controller/action/compose/engine"
)

// steps are what docker compose's own progress tells of a deploy: which stage it is at,
// what it does for each service, which containers it has made, and what went wrong.
type steps struct {
	rendering *rendering

	mu   sync.Mutex
	last map[string]engine.Event // by what compose names
	errs []engine.Event
}

func newSteps(m *rendering) *steps {
	return &steps{rendering: m, last: map[string]engine.Event{}}
}

// add takes in an event. It returns the stage, whether anything has moved, and what the
// event says of which services.
func (s *steps) add(e engine.Event) (at stage, moved bool, services []string, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Failed() {
		s.errs = append(s.errs, e)
	}
	if e.ID == "" {
		return s.stage(), true, nil, ""
	}
	moved = s.last[e.ID] != e
	s.last[e.ID] = e
	kind, name, _ := strings.Cut(strings.TrimSpace(e.ID), " ")
	switch kind {
	case "Image":
		services = s.rendering.byImage(name)
	case "Container":
		if service := s.rendering.byContainer(name); service != "" {
			services = []string{service}
		}
	}
	return s.stage(), moved, services, strings.ToLower(e.Text)
}

// stage is what compose is at: what is under way and comes first counts.
func (s *steps) stage() stage {
	waits, starts, builds := false, false, false
	for id, e := range s.last {
		switch {
		case e.Status != "Working":
		case e.Text == "Building":
			builds = true
		case e.ParentID != "", strings.HasPrefix(id, "Image "):
			return pulling
		case e.Text == "Waiting":
			waits = true
		default:
			starts = true
		}
	}
	switch {
	case builds:
		return building
	case waits && !starts:
		return waitHealth
	}
	return starting
}

// at is the stage now.
func (s *steps) at() stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage()
}

// errors are what went wrong, in order.
func (s *steps) errors() []engine.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs
}

// busy is the service of the container or image that compose was at when it ended; empty:
// none that can be told.
func (s *steps) busy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := ""
	for id, e := range s.last {
		kind, name, _ := strings.Cut(strings.TrimSpace(id), " ")
		if e.Status == "Done" || e.Text == "Waiting" {
			continue
		}
		service := ""
		switch kind {
		case "Container":
			service = s.rendering.byContainer(name)
		case "Image":
			if all := s.rendering.byImage(name); len(all) > 0 {
				service = strings.Join(all, ", ")
			}
		}
		if service == "" {
			continue
		}
		if found != "" && found != service {
			return "" // several: the text says which, or nothing does
		}
		found = service
	}
	return found
}

// stopping reports whether compose was at stopping the container of that name.
func (s *steps) stopping(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last["Container "+name].Stopping()
}

// waitsFor are the services of the containers that compose waits for, sorted: dependencies
// that are to be healthy or to end.
func (s *steps) waitsFor() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for id, e := range s.last {
		name, container := strings.CutPrefix(id, "Container ")
		if !container || e.Status != "Working" || e.Text != "Waiting" {
			continue
		}
		if service := s.rendering.byContainer(name); service != "" && !slices.Contains(out, service) {
			out = append(out, service)
		}
	}
	slices.Sort(out)
	return out
}
