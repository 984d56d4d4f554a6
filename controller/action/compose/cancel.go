package compose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
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

// wasStopped stands between what was stopped and what it has left.
const wasStopped = " was stopped; "

// stop ends docker compose. While it replaces containers of a project that was there
// before, it may finish that first.
func (d *deploy) stop(ctx context.Context, p *process.Process) {
	grace := d.a.Grace
	if len(d.before) > 0 && d.steps.at() == starting && canceled(ctx) {
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
func (d *deploy) canceled(ctx context.Context) *action.Outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.a.Grace+settleTime+repair.DrainTime(d.before))
	defer cancel()
	what, err := d.settle(ctx)
	if err != nil {
		what = "what it left of the project is not known, because the docker engine does not answer: " + err.Error()
	}
	return &action.Outcome{
		Verdict: action.Stopped, Repeatable: true, Result: d.report.result(),
		Message: d.name + wasStopped + what + ".",
	}
}

// settle brings the project out of what a stopped docker compose has left, and says how
// it then is.
func (d *deploy) settle(ctx context.Context) (string, error) {
	seen, err := d.project.Containers(ctx)
	if err != nil {
		return "", err // the record of the change stays, for the next attempt to repair
	}
	switch {
	case d.code == 0:
		d.endChange()
		j := health.Judge(d.wants, seen, d.project.Now())
		d.report.observe(j.Services)
		if up := j.Others(""); up != "" {
			return "every container was started as asked and stays. " + strings.TrimSuffix(up, ". "), nil
		}
		return "the project is as asked", nil
	case len(d.before) == 0:
		return d.takeDown(ctx)
	}
	left := d.change.Repair(ctx, d.steps.stopping, d.out)
	if seen, err = d.project.Containers(ctx); err != nil {
		return "", err
	}
	d.report.observe(d.judge(seen).Services)
	text := describe(d.before, seen)
	if left != "" {
		text += ". " + strings.TrimSuffix(left, ".")
	}
	return text, nil
}

// takeDown removes a project of which nothing was there before. Its volumes stay: what is
// in them is nobody's to delete unasked.
func (d *deploy) takeDown(ctx context.Context) (string, error) {
	seconds := int(d.a.Grace.Seconds() / 2)
	args := append(base(d.a.Job.Spec.Deploy, d.src), "down", fmt.Sprintf("--timeout=%d", seconds))
	if err := d.r.docker.Output(ctx, d.r.spec(d.a, d.src, args), engine.Discard); err != nil {
		if seen, lookErr := d.project.Containers(ctx); lookErr != nil || len(seen) > 0 {
			return fmt.Sprintf("what was made could not be taken down again, %d containers are left: %v", len(seen), err), lookErr
		}
	}
	d.endChange()
	for name := range d.wants {
		d.report.set(name, "pending", "")
	}
	return "what it had made was taken down again, so the project is as it was before: nothing of it is there (volumes stay)", nil
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
