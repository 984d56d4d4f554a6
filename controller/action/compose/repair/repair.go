package repair

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// temporary is the name that compose gives a container while it replaces another one: the
// first digits of the other one's ID, and its name.
var temporary = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// lastingName is the name that a container has once it has replaced another one.
func lastingName(c engine.Container) string {
	if m := temporary.FindStringSubmatch(c.Name); m != nil {
		return m[1]
	}
	return c.Name
}

// run brings a project out of what a cut-off docker compose has left, and tells what could
// not be done. The error means that the engine does not answer.
func run(ctx context.Context, project *engine.Project, u revisions.UnderWay, stopping func(name string) bool, out action.Sink) (problems []string, err error) {
	now, err := AwaitEngine(ctx, project)
	if err != nil {
		return nil, err
	}
	for _, act := range repairs(u.Before, now, stopping, func(c engine.Container) bool { return !c.Created.Before(u.Began) }) {
		out.Line(action.System, "docker "+strings.Join(act, " "))
		if err := project.Do(ctx, act...); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems, ctx.Err()
}

// AwaitEngine lists a project's containers as soon as the engine answers.
func AwaitEngine(ctx context.Context, project *engine.Project) ([]engine.Container, error) {
	for {
		now, err := project.Containers(ctx)
		if err == nil {
			return now, nil
		}
		pause := time.NewTimer(engine.RetryPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, err
		}
	}
}

// DrainTime is how long the containers may take to stop, all at once.
func DrainTime(containers []engine.Container) time.Duration {
	longest := time.Duration(0)
	for _, c := range containers {
		longest = max(longest, c.StopTimeout)
	}
	return longest
}

// repairs says what docker must do so that no service that ran before is down and no
// container is left under a temporary name: a container that was made and never started goes
// when the one that it was to replace is still there, and is started when that ran and is gone; one that ran before and was stopped runs again unless it
// was replaced. One that still runs beside its successor, or that docker compose was at
// stopping, may have been asked to stop: its stop is brought to its end, and then it is
// started. ours tells which containers the cut-off docker compose made.
func repairs(before, now []engine.Container, stopping func(name string) bool, ours func(engine.Container) bool) [][]string {
	old := map[string]engine.Container{}
	for _, b := range before {
		old[b.ID] = b
	}
	var actions [][]string
	ran := map[string]bool{} // names of old containers that ran
	for _, b := range before {
		ran[b.Name] = ran[b.Name] || up(b)
	}
	kept := map[string]bool{} // names of old containers that are to run
	for _, n := range now {
		b, known := old[n.ID]
		if known && up(b) && !replaced(b, now, old) {
			kept[b.Name] = true
		}
	}
	draining := map[string]bool{} // names of old containers that may have been asked to stop
	there := map[string]bool{}    // names of old containers that are still there
	for _, n := range now {
		_, known := old[n.ID]
		there[n.Name] = there[n.Name] || known
	}
	for _, n := range now {
		if _, known := old[n.ID]; known || n.Status != "created" || !ours(n) {
			continue
		}
		name := lastingName(n)
		if there[name] && (kept[name] || !ran[name]) {
			draining[name] = kept[name]
			actions = append(actions, []string{"container", "rm", "--", n.ID})
			continue
		}
		if name != n.Name && !there[name] {
			actions = append(actions, []string{"container", "rename", "--", n.ID, name})
		}
		if ran[name] {
			actions = append(actions, []string{"container", "start", "--", n.ID})
		}
	}
	for _, n := range now {
		b := old[n.ID]
		if !kept[b.Name] {
			continue
		}
		if (draining[b.Name] || stopping(b.Name)) && n.Status == "running" {
			actions = append(actions, []string{"container", "stop", "--", n.ID}, []string{"container", "start", "--", n.ID})
		} else if n.Status != "running" && n.Status != "restarting" {
			actions = append(actions, []string{"container", "start", "--", n.ID})
		}
	}
	return actions
}

// up reports whether a container was to run.
func up(c engine.Container) bool { return c.Status == "running" || c.Status == "restarting" }

// replaced reports whether another container that was made since runs under its name.
func replaced(b engine.Container, now []engine.Container, old map[string]engine.Container) bool {
	return slices.ContainsFunc(now, func(n engine.Container) bool {
		_, known := old[n.ID]
		return !known && lastingName(n) == b.Name && n.Status != "created"
	})
}
