package compose

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/process"
)

// A canceled deploy leaves no container in between states:
//
//	nothing was done yet (reading, pull, build)  → the project is as it was before
//	nothing of the project was there before      → what was made is taken down again
//	containers are being replaced                → docker compose gets half of the grace to
//	                                               finish; what it then leaves half done is
//	                                               finished or taken back, by container
//	every container is started                   → stays as asked
//
// The message says which, and when it cannot be told, that.

// settleTime is how long that may take beyond the grace: a few quick calls to the engine,
// and a busy machine.
const settleTime = 20 * time.Second

// stop ends docker compose. While it replaces containers of a project that was there
// before, it may finish that first.
func (d *deploy) stop(ctx context.Context, p *process.Process) {
	grace := d.a.Grace
	if len(d.before) > 0 && d.steps.at() == starting && errors.Is(context.Cause(ctx), context.Canceled) {
		half := grace / 2
		d.out.Line(action.System, fmt.Sprintf("asked to stop; docker compose gets %s to finish what it does to containers", half))
		finish := time.NewTimer(half)
		defer finish.Stop()
		select {
		case <-p.Done():
			return
		case <-finish.C:
		}
		grace -= half
	}
	d.out.Line(action.System, fmt.Sprintf("asked to stop; docker compose gets %s before it is killed", grace))
	// What is left when this fails is found by the Kill after it, or reported there.
	_ = p.Stop(context.WithoutCancel(ctx), grace)
}

// canceled leaves the project as it was before or as asked, and says which.
func (d *deploy) canceled(ctx context.Context) action.Outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.a.Grace+settleTime)
	defer cancel()
	what, err := d.settle(ctx)
	if err != nil {
		what = "what it left of the project is not known, because the docker engine does not answer: " + err.Error()
	}
	return action.Outcome{
		Verdict: action.Stopped, Repeatable: true, Result: d.board.result(),
		Message: d.name + " was stopped; " + what + ".",
	}
}

// settle brings the project out of what a stopped docker compose has left, and says how
// it then is.
func (d *deploy) settle(ctx context.Context) (string, error) {
	seen, err := d.project.Containers(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case d.code == 0:
		j := health.Judge(d.wants, seen, d.project.Now())
		d.board.take(j.Services)
		if up := j.Others(""); up != "" {
			return "every container was started as asked and stays. " + strings.TrimSuffix(up, ". "), nil
		}
		return "the project is as asked", nil
	case unchanged(d.before, seen) && len(d.before)+len(seen) > 0:
		d.board.take(d.judge(seen).Services)
		return "the project is as it was before", nil
	case len(d.before) == 0:
		return d.takeDown(ctx)
	}
	var problems []string
	for _, act := range repairs(d.before, seen, d.steps.hasMade) {
		d.out.Line(action.System, "docker "+strings.Join(act, " "))
		if err := d.project.Do(ctx, act...); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if seen, err = d.project.Containers(ctx); err != nil {
		return "", err
	}
	d.board.take(d.judge(seen).Services)
	text := describe(d.before, seen)
	if len(problems) > 0 {
		text += ". What could not be finished: " + strings.Join(problems, "; ")
	}
	return text, nil
}

// takeDown removes a project of which nothing was there before. Its volumes stay: what is
// in them is nobody's to delete unasked.
func (d *deploy) takeDown(ctx context.Context) (string, error) {
	seconds := int(d.a.Grace.Seconds() / 2)
	args := append(base(d.a.Job.Spec.Deploy, d.file), "down", fmt.Sprintf("--timeout=%d", seconds))
	if err := d.r.docker.Output(ctx, d.r.spec(d.a, d.file, args), engine.Discard); err != nil {
		if seen, lookErr := d.project.Containers(ctx); lookErr != nil || len(seen) > 0 {
			return fmt.Sprintf("what was made could not be taken down again, %d containers are left: %v", len(seen), err), lookErr
		}
	}
	for name := range d.wants {
		d.board.set(name, "pending", "")
	}
	return "what it had made was taken down again, so the project is as it was before: nothing of it is there (volumes stay)", nil
}

// unchanged reports whether the same containers are there in the same state.
func unchanged(before, now []engine.Container) bool {
	return len(before) == len(now) && !slices.ContainsFunc(before, func(b engine.Container) bool {
		return !slices.ContainsFunc(now, func(n engine.Container) bool {
			return b.ID == n.ID && b.Name == n.Name && b.StartedAt.Equal(n.StartedAt) && (b.Status == "running") == (n.Status == "running")
		})
	})
}

// temporary is the name that compose gives a container while it replaces another one.
var temporary = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// repairs says what docker must do so that no container is in between: one that was made and
// never started goes when the one that it was to replace is still there, and is started
// when that is gone; one that ran before and was stopped runs again unless it was
// replaced.
func repairs(before, now []engine.Container, made func(name string) bool) [][]string {
	old := map[string]engine.Container{}
	for _, b := range before {
		old[b.ID] = b
	}
	var actions [][]string
	kept := map[string]bool{} // names of old containers that are to run
	for _, n := range now {
		b, known := old[n.ID]
		if known && b.Status == "running" && !replaced(b, now, old) {
			kept[b.Name] = true
		}
	}
	for _, n := range now {
		if _, known := old[n.ID]; known || n.Status != "created" {
			continue
		}
		name := n.Name
		if m := temporary.FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		switch {
		case !made(name):
			// Somebody else's.
		case kept[name]:
			actions = append(actions, []string{"container", "rm", "--", n.ID})
		default:
			if name != n.Name {
				actions = append(actions, []string{"container", "rename", "--", n.ID, name})
			}
			actions = append(actions, []string{"container", "start", "--", n.ID})
		}
	}
	for _, n := range now {
		if b := old[n.ID]; kept[b.Name] && n.Status != "running" && n.Status != "restarting" {
			actions = append(actions, []string{"container", "start", "--", n.ID})
		}
	}
	return actions
}

// replaced reports whether another container that was made since runs under its name.
func replaced(b engine.Container, now []engine.Container, old map[string]engine.Container) bool {
	return slices.ContainsFunc(now, func(n engine.Container) bool {
		_, known := old[n.ID]
		name := n.Name
		if m := temporary.FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		return !known && name == b.Name && n.Status != "created"
	})
}

// describe says for each service whether it is as before.
func describe(before, now []engine.Container) string {
	ids := func(list []engine.Container) map[string]map[string]bool {
		out := map[string]map[string]bool{}
		for _, c := range list {
			if out[c.Service] == nil {
				out[c.Service] = map[string]bool{}
			}
			out[c.Service][c.ID] = true
		}
		return out
	}
	was, is := ids(before), ids(now)
	var names, kept, changed []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		if was[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		same := len(was[name]) == len(is[name])
		for id := range is[name] {
			same = same && was[name][id]
		}
		if same {
			kept = append(kept, name)
		} else {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return "the project is as it was before"
	}
	text := "as asked: " + strings.Join(changed, ", ")
	if len(kept) > 0 {
		text += "; as before: " + strings.Join(kept, ", ")
	}
	return text
}
