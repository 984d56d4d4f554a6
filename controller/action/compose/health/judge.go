package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
)

// Judge compares the containers with what is wanted, by service; now is the engine's time.
// A service that is wanted without containers and has none is left out.
func Judge(wants map[string]Want, containers []engine.Container, now time.Time) Judgment {
	by := engine.ByService(containers)
	var j Judgment
	for name, w := range wants {
		if len(by[name]) == 0 && w.Containers == 0 {
			continue
		}
		s, next := judgeService(name, w, by[name], now)
		if !next.IsZero() && (j.Next.IsZero() || next.Before(j.Next)) {
			j.Next = next
		}
		j.Grade = max(j.Grade, s.Grade)
		j.Services = append(j.Services, s)
	}
	slices.SortFunc(j.Services, func(a, b ServiceState) int { return strings.Compare(a.Name, b.Name) })
	return j
}

// Present limits wants to the services that have containers, however many those are.
func Present(wants map[string]Want, containers []engine.Container) map[string]Want {
	by := engine.ByService(containers)
	out := map[string]Want{}
	for name, w := range wants {
		if len(by[name]) > 0 {
			w.Containers = 0
			out[name] = w
		}
	}
	return out
}

// judgeService is the state of the container that is worst off. The time, unless it is
// zero, is when the first of them becomes good by going on as it is.
func judgeService(name string, w Want, containers []engine.Container, now time.Time) (ServiceState, time.Time) {
	var s ServiceState
	var soonest time.Time
	restarts := 0
	for i, c := range containers {
		state, next := judgeContainer(w, c, now)
		if !next.IsZero() && (soonest.IsZero() || next.Before(soonest)) {
			soonest = next
		}
		restarts += c.Restarts
		if i == 0 || state.Grade > s.Grade {
			s = state
		}
	}
	if missing := w.Containers - len(containers); missing > 0 {
		s = ServiceState{
			State: "missing", Grade: Failed, Reason: v1.ReasonContainerFailed,
			Message: fmt.Sprintf("%d of its %d containers are gone", missing, w.Containers),
		}
	}
	s.Name, s.Containers, s.Restarts = name, len(containers), restarts
	return s, soonest
}

// Settled reports whether a container stands as a deploy leaves it: it runs and passes its
// check, or it has ended with exit code 0. How long it has run is not asked.
func Settled(c engine.Container) bool {
	s, _ := judgeContainer(Want{MaxRestarts: maxRestarts}, c, c.StartedAt)
	return s.Grade == Good
}

// judgeContainer judges one container. The time, unless it is zero, is when the container
// becomes good by going on as it is.
func judgeContainer(w Want, c engine.Container, now time.Time) (ServiceState, time.Time) {
	s := ServiceState{Image: c.Image, Worst: c.ID}
	as := func(state string, g Grade, reason, message string) (ServiceState, time.Time) {
		s.State, s.Grade, s.Reason, s.Message = state, g, reason, message
		return s, time.Time{}
	}
	if c.Status == "exited" || c.Status == "restarting" || c.Status == "dead" {
		s.ExitCode = &c.ExitCode
	}
	stableAt := c.StartedAt.Add(w.Stable)
	stable := !now.Before(stableAt)
	if c.Restarts > w.MaxRestarts && c.Status != "exited" && (c.Status != "running" || !stable) {
		return as("restarting", Failed, v1.ReasonCrashLoop, fmt.Sprintf("restarted %d times, health.maxRestarts is %d; %s", c.Restarts, w.MaxRestarts, endedWith(c)))
	}
	switch c.Status {
	case "running":
		switch {
		case c.Health == "unhealthy":
			return as("unhealthy", Failed, v1.ReasonUnhealthy, "its health check fails"+lastCheck(c))
		case w.Expect == v1.ExpectCompleted:
			return as("running", Waiting, "", "has not ended yet")
		case c.Health == "starting":
			return as("starting", Waiting, "", "its health check has not passed yet"+lastCheck(c))
		case stable || c.Health == "healthy" && c.Restarts == 0:
			return as(word(c), Good, "", "")
		}
		s.State, s.Grade = "starting", Waiting
		s.Message = fmt.Sprintf("runs, and counts as up when it does so for %s", w.Stable)
		return s, stableAt
	case "exited":
		return as(judgeExit(w, c))
	case "restarting":
		return as("restarting", Waiting, "", endedWith(c))
	case "created":
		if c.Error != "" {
			return as("created", Failed, v1.ReasonContainerFailed, "could not be started: "+c.Error)
		}
		return as("created", Waiting, "", "has not been started yet")
	case "dead":
		return as("dead", Failed, v1.ReasonContainerFailed, endedWith(c))
	default: // paused, removing
		return as(c.Status, Waiting, "", "is "+c.Status)
	}
}

// judgeExit judges a container that has ended.
func judgeExit(w Want, c engine.Container) (state string, grade Grade, reason, message string) {
	comesBack := c.Policy == "always" || c.Policy == "unless-stopped"
	switch {
	case w.Expect == v1.ExpectAny:
		return "exited", Good, "", ""
	case c.ExitCode != 0:
		return "exited", Failed, v1.ReasonContainerFailed, endedWith(c)
	case c.Cut && w.Expect != v1.ExpectCompleted && !comesBack:
		return "exited", Failed, v1.ReasonContainerFailed,
			"was stopped while the docker engine was away, and has no restart policy; one that is to end by itself has health.services[].expect Completed"
	case w.Expect == v1.ExpectRunning:
		return "exited", Failed, v1.ReasonContainerFailed, endedWith(c) + ", and it is to run"
	case w.Expect == v1.ExpectCompleted || !comesBack:
		return "completed", Good, "", ""
	}
	return "exited", Failed, v1.ReasonContainerFailed, "was stopped by something else"
}

func word(c engine.Container) string {
	if c.Health == "" {
		return "running"
	}
	return c.Health
}

// endedWith says how a container has ended.
func endedWith(c engine.Container) string {
	switch {
	case c.OOMKilled:
		return fmt.Sprintf("ended with exit code %d: it was out of memory", c.ExitCode)
	case c.Error != "":
		return fmt.Sprintf("ended with exit code %d: %s", c.ExitCode, c.Error)
	}
	return fmt.Sprintf("ended with exit code %d", c.ExitCode)
}

func lastCheck(c engine.Container) string {
	if c.Check == "" {
		return ""
	}
	return ": " + c.Check
}
