package compose

import (
	"context"
	"slices"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/process"
)

// composeShare is how many percent of a deploy are docker compose's; the rest is for
// services to come up.
const composeShare = 70

// deploy is an attempt at a verb that starts containers.
type deploy struct {
	r       *Runner
	a       action.Attempt
	out     action.Sink
	file    string
	name    string // the command, for messages
	model   model
	wants   map[string]want
	lookout *lookout
	before  []observed // the project's containers before anything was done
	course  *course
	board   *board
	dog     *watchdog
	wake    <-chan struct{}
	// started tells that docker compose was started; code is its exit code.
	started bool
	code    int
	// unanswered is how health.probe was answered otherwise than expected; nil: it was
	// not asked, or answered as expected.
	unanswered error
}

// converge runs docker compose with a verb that starts containers, and then looks until
// every service works, one of them does not, or a limit has passed. Compose's exit code
// alone is no proof: without --wait it is 0 for a container that dies at once, and with
// --wait it is 1 for a one-shot container that has ended well.
func (r *Runner) converge(ctx context.Context, a action.Attempt, file string, args []string, name string, out action.Sink) action.Outcome {
	d := &deploy{r: r, a: a, out: out, file: file, name: name, lookout: &lookout{r: r, a: a, restarts: map[string]int{}}}
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d.dog = newWatchdog(limitsOf(a.Job.Spec.Deploy.Limits), func(e *exceeded) { stop(e) })
	defer d.dog.stop()
	if outcome, ok := d.prepare(limited); !ok {
		return outcome
	}
	var end func()
	d.wake, end = d.lookout.watch(context.WithoutCancel(ctx), d.lookout.now())
	defer end()
	tail, early, err := d.compose(limited, args)
	switch {
	case err != nil:
		return r.unavailable(err)
	case ctx.Err() != nil:
		return d.canceled(ctx)
	case early != nil:
		return d.unhealthy(ctx, *early)
	case limited.Err() != nil:
		return d.late(ctx, limited, tail)
	case d.code != 0:
		return d.broken(ctx, tail)
	}
	d.dog.progress(health)
	return d.await(ctx, limited)
}

// prepare finds out what the deploy is about and what is there before it.
func (d *deploy) prepare(ctx context.Context) (action.Outcome, bool) {
	clock := make(chan error, 1)
	go func() { clock <- d.lookout.setClock(ctx) }()
	var err error
	d.model, err = d.r.model(ctx, d.a, d.file)
	if clockErr := <-clock; err == nil && clockErr != nil {
		return d.unreachable(ctx, clockErr), false
	}
	if err != nil {
		return d.unreadable(ctx, err), false
	}
	d.lookout.project, d.course = d.model.Name, newCourse(d.model)
	if d.wants, err = d.model.wants(d.a.Job.Spec.Deploy); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error()), false
	}
	if d.before, err = d.lookout.look(ctx); err != nil {
		return d.unreachable(ctx, err), false
	}
	for _, c := range d.before {
		d.lookout.restarts[c.ID] = c.Restarts
	}
	d.board = newBoard(d.out, d.model, d.wants)
	return action.Outcome{}, true
}

// compose runs docker compose to its end. A judgment comes back when a service has
// failed for good while compose still waited for it.
func (d *deploy) compose(ctx context.Context, args []string) (string, *judgment, error) {
	p, err := process.Start(d.r.spec(d.a, d.file, args))
	if err != nil {
		return "", nil, err
	}
	d.started = true
	stop := context.AfterFunc(ctx, func() { d.stop(ctx, p) })
	var early *judgment
	var beside sync.WaitGroup
	beside.Go(func() { early = d.along(ctx, p) })
	tail := d.r.read(p, d.a.Job.Spec.Deploy.Verb, d.out, d.heard)
	d.code = p.Wait()
	stop()
	if err := p.Kill(ctx); err != nil {
		d.out.Line(action.System, err.Error())
	}
	beside.Wait()
	d.board.exited(d.code)
	return tail, early, nil
}

// heard takes in what compose says of its progress; a nil event is a line of text.
func (d *deploy) heard(e *event, pct int, step string) {
	if e == nil {
		d.dog.progress(d.course.at())
		return
	}
	at, moved, services, state := d.course.add(*e)
	if moved {
		d.dog.progress(at)
	}
	for _, service := range services {
		d.board.set(service, state, e.Details)
	}
	if pct > 0 {
		pct = pct * composeShare / 100
	}
	d.out.Progress(pct, step)
}

// along looks at the containers while docker compose waits for some of them, for as long
// as it runs: compose waits for a dependency that crashes again and again for ever.
func (d *deploy) along(ctx context.Context, p *process.Process) *judgment {
	for {
		select {
		case <-p.Done():
			return nil
		case <-ctx.Done():
			return nil
		case <-d.wake:
		}
		if d.course.at() != health {
			continue
		}
		seen, err := d.lookout.look(ctx)
		if err != nil {
			continue // compose finds out the same
		}
		seen = slices.DeleteFunc(seen, func(c observed) bool {
			return slices.ContainsFunc(d.before, func(b observed) bool { return b.ID == c.ID })
		})
		j := judge(d.present(seen), seen, d.lookout.now())
		if d.board.take(j.services) {
			d.dog.progress(health)
		}
		if slices.ContainsFunc(j.services, func(s serviceState) bool { return s.reason == v1.ReasonCrashLoop }) {
			_ = p.Stop(context.WithoutCancel(ctx), d.a.Grace) // what is left is found by the Kill after it
			return &j
		}
	}
}

// present are the wants of the services that have containers among those.
func (d *deploy) present(seen []observed) map[string]want {
	out := map[string]want{}
	for name, w := range d.wants {
		w.containers = 0
		if slices.ContainsFunc(seen, func(c observed) bool { return c.Service == name }) {
			out[name] = w
		}
	}
	return out
}

// await looks at the containers until it can be told what the deploy has come to.
func (d *deploy) await(ctx, limited context.Context) action.Outcome {
	var silent time.Time // since when the engine does not answer
	probed := d.a.Job.Spec.Deploy.Health == nil || d.a.Job.Spec.Deploy.Health.Probe == nil
	for {
		j := judgment{grade: waiting}
		seen, err := d.lookout.look(limited)
		pause := lookAgain
		switch {
		case ctx.Err() != nil:
			return d.canceled(ctx)
		case limited.Err() != nil:
			return d.late(ctx, limited, "")
		case err != nil:
			if silent.IsZero() {
				silent = time.Now()
				d.out.Line(action.System, "the docker engine does not answer: "+err.Error())
			}
			if time.Since(silent) > engineTime {
				return d.unreachable(ctx, err)
			}
			pause = enginePause
		default:
			silent = time.Time{}
			j = judge(d.wants, seen, d.lookout.now())
			if d.board.take(j.services) {
				d.dog.progress(health)
			}
			d.step(j)
		}
		if j.grade == good && err == nil && !probed {
			if d.unanswered = d.r.probeHealth(limited, d.a.Job.Spec.Deploy.Health.Probe, seen); d.unanswered == nil {
				probed = true
				continue // what answered may have ended since
			}
			d.out.Progress(-1, "compose:probe")
			j.grade, pause = waiting, probePause
		}
		switch {
		case j.grade == failed:
			return d.unhealthy(ctx, j)
		case j.grade == good && err == nil:
			exit := int32(d.code)
			return action.Outcome{Verdict: action.Succeeded, ExitCode: &exit, Result: d.board.result()}
		}
		if !j.next.IsZero() {
			pause = min(pause, max(j.next.Sub(d.lookout.now()), time.Millisecond))
		}
		timer := time.NewTimer(pause)
		select {
		case <-d.wake:
		case <-timer.C:
		case <-limited.Done():
		}
		timer.Stop()
	}
}

// step reports how many services are up.
func (d *deploy) step(j judgment) {
	up, waits := 0, ""
	for _, s := range j.services {
		if s.grade == good {
			up++
		} else if waits == "" {
			waits = " " + s.Name
		}
	}
	d.out.Progress(composeShare+up*(99-composeShare)/max(len(j.services), 1), "compose:health"+waits)
}
