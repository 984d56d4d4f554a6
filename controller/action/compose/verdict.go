package compose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
)

const (
	// stableSeconds is how long a container without a health check must run before it
	// counts as up. Most programs that cannot work (a wrong variable, a missing file, no
	// database) end in their first seconds; 5 s is also what docker's own rolling updates
	// watch a new container for (docker service create --update-monitor).
	stableSeconds = 5
	// maxRestarts is how many restarts are let pass. The engine waits 100 ms before the
	// first and twice as long before each next one, so the sixth comes 6 s after the
	// first end: time for a program that dies until its database is up, and a crash loop
	// is still told within seconds.
	maxRestarts = 5
)

// observed is what the engine says of one container.
type observed struct {
	ID, Name, Service, Image string
	// Status is created, running, paused, restarting, removing, exited or dead.
	Status string
	// Health is starting, healthy or unhealthy; empty: there is no health check.
	Health string
	// Check is the last word of the health check.
	Check string
	// Error is why it could not be started.
	Error     string
	ExitCode  int
	OOMKilled bool
	// Restarts is how often the engine has restarted it since the deploy began.
	Restarts int
	// Policy is the restart policy; empty or "no": it is never restarted.
	Policy    string
	StartedAt time.Time // by the engine's clock
	// Ports are those it publishes, as "address:port".
	Ports []published
}

// want is what is expected of the containers of a service.
type want struct {
	stable      time.Duration
	maxRestarts int
	expect      v1.ServiceExpectation
	// containers is how many there must be at least.
	containers int
}

// wanted is what a deploy expects of a service.
func wanted(h *v1.DeployHealth, service string, containers int) want {
	w := want{stable: stableSeconds * time.Second, maxRestarts: maxRestarts, containers: containers}
	if h == nil {
		return w
	}
	own := h.Services[service]
	for _, seconds := range []*int32{h.StableSeconds, own.StableSeconds} {
		if seconds != nil {
			w.stable = time.Duration(*seconds) * time.Second
		}
	}
	for _, restarts := range []*int32{h.MaxRestarts, own.MaxRestarts} {
		if restarts != nil {
			w.maxRestarts = int(*restarts)
		}
	}
	w.expect = own.Expect
	return w
}

// serviceState is the state of a service as status.result.services shows it.
type serviceState struct {
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

	grade  grade
	reason string // one of v1's, when it has failed
	worst  string // the ID of the container that is worst off
}

// grade is how a container or service stands to what is expected of it.
type grade int

const (
	good grade = iota
	waiting
	failed
)

// judgment is what is made of all services at one moment.
type judgment struct {
	services []serviceState
	grade    grade
	// next is when a service that waits becomes good if nothing happens; zero: never.
	next time.Time
}

// judge compares what is with what is wanted, by service; now is the engine's time. It
// is a function of its arguments alone: an event that is lost, late or seen twice changes
// nothing.
func judge(wants map[string]want, containers []observed, now time.Time) judgment {
	by := map[string][]observed{}
	for _, c := range containers {
		by[c.Service] = append(by[c.Service], c)
	}
	var j judgment
	for name, w := range wants {
		s := serviceState{Name: name, Containers: len(by[name])}
		if len(by[name]) < w.containers {
			s.State, s.grade, s.reason = "missing", failed, v1.ReasonContainerFailed
			s.Message = fmt.Sprintf("%d of its %d containers are gone", w.containers-len(by[name]), w.containers)
		}
		for i, c := range by[name] {
			state, next := judgeContainer(w, c, now)
			if !next.IsZero() && (j.next.IsZero() || next.Before(j.next)) {
				j.next = next
			}
			s.Restarts += c.Restarts
			if s.State == "missing" || i > 0 && state.grade <= s.grade {
				continue
			}
			s.State, s.Message, s.grade, s.reason, s.ExitCode = state.State, state.Message, state.grade, state.reason, state.ExitCode
			s.Image, s.worst = c.Image, c.ID
		}
		if len(by[name]) == 0 && w.containers == 0 {
			continue
		}
		j.grade = max(j.grade, s.grade)
		j.services = append(j.services, s)
	}
	slices.SortFunc(j.services, func(a, b serviceState) int { return strings.Compare(a.Name, b.Name) })
	return j
}

// judgeContainer is judge for one container. The time, unless it is zero, is when the
// container becomes good by going on as it is.
func judgeContainer(w want, c observed, now time.Time) (serviceState, time.Time) {
	var s serviceState
	as := func(state string, st grade, reason, message string) (serviceState, time.Time) {
		s.State, s.grade, s.reason, s.Message = state, st, reason, message
		return s, time.Time{}
	}
	if c.Status == "exited" || c.Status == "restarting" || c.Status == "dead" {
		s.ExitCode = &c.ExitCode
	}
	stableAt := c.StartedAt.Add(w.stable)
	stable := !now.Before(stableAt)
	if c.Restarts > w.maxRestarts && c.Status != "exited" && (c.Status != "running" || !stable) {
		return as("restarting", failed, v1.ReasonCrashLoop, fmt.Sprintf("restarted %d times, health.maxRestarts is %d; %s", c.Restarts, w.maxRestarts, endedWith(c)))
	}
	switch c.Status {
	case "running":
		switch {
		case c.Health == "unhealthy":
			return as("unhealthy", failed, v1.ReasonUnhealthy, "its health check fails"+lastCheck(c))
		case w.expect == v1.ExpectCompleted:
			return as("running", waiting, "", "has not ended yet")
		case c.Health == "starting":
			return as("starting", waiting, "", "its health check has not passed yet"+lastCheck(c))
		case stable || c.Health == "healthy" && c.Restarts == 0:
			return as(word(c), good, "", "")
		}
		s.State, s.grade = "starting", waiting
		s.Message = fmt.Sprintf("runs, and counts as up when it does so for %s", w.stable)
		return s, stableAt
	case "exited":
		return as(judgeExit(w, c))
	case "restarting":
		return as("restarting", waiting, "", endedWith(c))
	case "created":
		if c.Error != "" {
			return as("created", failed, v1.ReasonContainerFailed, "could not be started: "+c.Error)
		}
		return as("created", waiting, "", "has not been started yet")
	case "dead":
		return as("dead", failed, v1.ReasonContainerFailed, endedWith(c))
	default: // paused, removing
		return as(c.Status, waiting, "", "is "+c.Status)
	}
}

// judgeExit judges a container that has ended.
func judgeExit(w want, c observed) (string, grade, string, string) {
	comesBack := c.Policy == "always" || c.Policy == "unless-stopped"
	switch {
	case w.expect == v1.ExpectAny:
		return "exited", good, "", ""
	case c.ExitCode != 0:
		return "exited", failed, v1.ReasonContainerFailed, endedWith(c)
	case w.expect == v1.ExpectRunning:
		return "exited", failed, v1.ReasonContainerFailed, endedWith(c) + ", and health.services says that it is to run"
	case w.expect == v1.ExpectCompleted || !comesBack:
		return "completed", good, "", ""
	}
	return "exited", failed, v1.ReasonContainerFailed, "was stopped by something else"
}

func word(c observed) string {
	if c.Health == "" {
		return "running"
	}
	return c.Health
}

// endedWith says how a container has ended.
func endedWith(c observed) string {
	switch {
	case c.OOMKilled:
		return fmt.Sprintf("ended with exit code %d: it was out of memory", c.ExitCode)
	case c.Error != "":
		return fmt.Sprintf("ended with exit code %d: %s", c.ExitCode, c.Error)
	}
	return fmt.Sprintf("ended with exit code %d", c.ExitCode)
}

func lastCheck(c observed) string {
	if c.Check == "" {
		return ""
	}
	return ": " + c.Check
}
