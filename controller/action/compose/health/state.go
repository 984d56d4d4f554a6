package health

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Grade is how a container or service stands to what is expected of it.
type Grade int

// The grades, from the best to the worst.
const (
	Good Grade = iota
	Waiting
	Failed
)

// ServiceState is the state of a service as status.result.services shows it.
type ServiceState struct {
	Name string `json:"name"`
	// State is, before there is a container: pending, pulling, building, creating;
	// then created, starting, running, healthy, unhealthy, restarting, completed (ended
	// with exit code 0), exited, paused, missing … of the container that is worst off.
	State      string `json:"state"`
	Containers int    `json:"containers,omitempty"`
	Restarts   int    `json:"restarts"`
	// ExitCode is that of the container that is worst off, where it has ended.
	ExitCode *int   `json:"exitCode,omitempty"`
	Image    string `json:"image,omitempty"`
	Message  string `json:"message,omitempty"`

	Grade Grade `json:"-"`
	// Reason is one of v1's, with grade Failed.
	Reason string `json:"-"`
	// Worst is the ID of the container that is worst off.
	Worst string `json:"-"`
}

// Same reports whether two states show the same.
func (s ServiceState) Same(o ServiceState) bool {
	exit := s.ExitCode == o.ExitCode || s.ExitCode != nil && o.ExitCode != nil && *s.ExitCode == *o.ExitCode
	return exit && s.State == o.State && s.Containers == o.Containers && s.Restarts == o.Restarts && s.Message == o.Message && s.Image == o.Image
}

// Judgment is how all services stand at one moment.
type Judgment struct {
	// Services are sorted by name.
	Services []ServiceState
	// Grade is that of the worst service.
	Grade Grade
	// Next is when a service that waits becomes good if nothing happens; zero: never.
	Next time.Time
}

// First is the first service, by name, that stands as such or worse; false: none does.
func (j Judgment) First(g Grade) (ServiceState, bool) {
	i := slices.IndexFunc(j.Services, func(s ServiceState) bool { return s.Grade >= g })
	if i < 0 {
		return ServiceState{}, false
	}
	return j.Services[i], true
}

// Culprit is the service that the others wait for: the first one that is not good and has
// been started, or else the first one that is not good; false: all are good.
func (j Judgment) Culprit() (ServiceState, bool) {
	i := slices.IndexFunc(j.Services, func(s ServiceState) bool { return s.Grade != Good && s.State != "created" && s.State != "missing" })
	if i < 0 {
		return j.First(Waiting)
	}
	return j.Services[i], true
}

// Good is how many services are good.
func (j Judgment) Good() int {
	n := 0
	for _, s := range j.Services {
		if s.Grade == Good {
			n++
		}
	}
	return n
}

// Others names, for a message, the services but that one that are not good; empty: none.
func (j Judgment) Others(but string) string {
	var out []string
	for _, s := range j.Services {
		if s.Name != but && s.Grade != Good {
			out = append(out, fmt.Sprintf("%s (%s)", s.Name, s.State))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "Not up either: " + strings.Join(out, ", ") + ". "
}

// String says which services are not good, and why.
func (j Judgment) String() string {
	var out []string
	for _, s := range j.Services {
		if s.Grade != Good {
			out = append(out, strings.TrimSpace(s.Name+" "+s.State+" "+s.Message))
		}
	}
	return strings.Join(out, "; ")
}
