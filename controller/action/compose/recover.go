package compose

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
	"jobwright.dev/controller/action/process"
)

const (
	// recoverTime bounds how long the engine is asked about a project: a hung engine must
	// not keep a job from being tried again.
	recoverTime = 30 * time.Second
	// reachTime bounds how long the engine may take to tell its version.
	reachTime = 5 * time.Second
)

// Recover implements action.Runner. It ends what a dead server has left of the attempt and
// asks whether the project is as the job wants. What is proven so counts as a good end of
// the attempt, and is kept as a revision; anything else is run again, and judged then.
func (r *Runner) Recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	project, _ := r.projectOf(ctx, a)
	hide := r.redactorFor(a.Job, project)
	ctx = engine.Hiding(ctx, hide)
	for _, id := range []string{rollbackAttempt(a).ID, a.ID} {
		if _, err := process.Reap(ctx, r.docker.Worker, id); err != nil {
			return action.Outcome{}, fmt.Errorf("end docker compose of attempt %s: %w", id, err)
		}
	}
	outcome, resumed, err := r.resumeUndo(ctx, a)
	if err == nil && !resumed {
		if err = repair.Attempt(ctx, r.revisions, r.docker, a.ID, quiet{}); err == nil {
			outcome, err = r.recover(ctx, a)
		}
	}
	if err != nil {
		return action.Outcome{}, errors.New(hide.String(err.Error()))
	}
	return hide.Outcome(outcome), nil
}

// recover compares the project with what the job asks for. A project that differs is deployed
// again.
func (r *Runner) recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	lost := action.Outcome{Verdict: action.Lost, Repeatable: true}
	d := a.Job.Spec.Deploy
	if d == nil || d.Verb != v1.DeployUp && d.Verb != v1.DeployDown && d.Verb != v1.DeployStop || asksForMore(d) {
		return lost, nil // not a state that could be proven
	}
	bounded, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	f, err := r.find(bounded, a)
	if err != nil {
		// A job whose file is gone ends by its own run; an engine that does not answer is
		// asked again later.
		if err := r.reachable(ctx, a); err != nil {
			return action.Outcome{}, err
		}
		lost.Message = "Whether the project is as asked could not be found out: " + err.Error() + "."
		return lost, nil
	}
	if !f.asAsked || r.mayTouch(f.rendering.Name, a.Job) != nil {
		return lost, nil // its run says whose the project is
	}
	out := action.Outcome{Verdict: action.Succeeded, Message: "Found as asked after the server that ran docker compose had ended; nothing was started again."}
	if encoded, err := v1.NewJSON(result{Services: f.judgment.Services}); err == nil {
		out.Result = &encoded
	}
	if d.Verb == v1.DeployUp && r.revisions != nil {
		if err := r.own(f.rendering.Name, a.Job); err != nil {
			return action.Outcome{}, err
		}
		out = r.keep(ctx, a, f.src, f.rendering, f.containers, out, quiet{})
	}
	return out, nil
}

// reachable reports whether the engine answers; where docker is not installed, waiting for it
// would help nobody.
func (r *Runner) reachable(ctx context.Context, a action.Attempt) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	if err := r.docker.Reachable(ctx, a.ID); err != nil && !errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("recover the compose project: the docker engine does not answer: %w", err)
	}
	return nil
}

// found is how a project stands after its server has died.
type found struct {
	src       source
	rendering *rendering
	judgment  health.Judgment
	// containers are all of the project.
	containers []engine.Container
	asAsked    bool
}

// find compares the project with what the job asks for: for up, every asked service has all
// its containers, made from the present configuration and judged good, and the probe is
// answered; for down and stop, nothing of the deploy is there, or runs.
func (r *Runner) find(ctx context.Context, a action.Attempt) (found, error) {
	d := a.Job.Spec.Deploy
	src, err := r.sourceOf(a.Job)
	if err != nil {
		return found{}, err
	}
	f := found{src: src}
	if f.rendering, err = r.render(ctx, a, src); err != nil {
		return found{}, err
	}
	project := r.project(a, f.rendering.Name)
	if err := project.SetClock(ctx); err != nil {
		return found{}, err
	}
	containers, err := project.Containers(ctx)
	if err != nil {
		return found{}, err
	}
	f.containers = slices.Clone(containers)
	if len(d.Services) > 0 {
		containers = slices.DeleteFunc(containers, func(c engine.Container) bool { return !slices.Contains(f.rendering.covered, c.Service) })
	}
	wants, err := f.rendering.wants(d)
	if err != nil {
		return found{}, err
	}
	f.judgment = health.Judge(wants, containers, project.Now())
	switch d.Verb {
	case v1.DeployDown:
		f.asAsked = len(containers) == 0
	case v1.DeployStop:
		f.asAsked = !slices.ContainsFunc(containers, func(c engine.Container) bool { return c.Status != "exited" && c.Status != "created" })
	default:
		hashes, err := r.hashes(ctx, a, src)
		if err != nil {
			return found{}, err
		}
		f.asAsked = f.judgment.Grade == health.Good && present(hashes, wants, containers)
		if probe := probeOf(d); f.asAsked && probe != nil {
			f.asAsked = health.Probe(ctx, probe, containers, r.network) == nil
		}
	}
	return f, nil
}

// present reports whether every service has all its containers, no more and no fewer, each
// running and of the present configuration. A container that has ended proves nothing, even
// with exit code 0: it may have been stopped before the deploy was asked for.
func present(hashes map[string]string, wants map[string]health.Want, containers []engine.Container) bool {
	by := engine.ByService(containers)
	for service, own := range by {
		if len(own) != wants[service].Containers {
			return false
		}
		for _, c := range own {
			if c.Status != "running" || c.ConfigHash != hashes[service] {
				return false
			}
		}
	}
	for service := range hashes {
		if len(by[service]) != wants[service].Containers {
			return false
		}
	}
	return len(hashes) > 0
}

// hashes are those of the configuration as it is in the file now, by service; only the
// asked services, where some are named.
func (r *Runner) hashes(ctx context.Context, a action.Attempt, src source) (map[string]string, error) {
	d := a.Job.Spec.Deploy
	asked := "*"
	if len(d.Services) > 0 {
		asked = strings.Join(d.Services, ",")
	}
	hashes := map[string]string{}
	spec := r.spec(a, src, append(base(d, src), "config", "--hash", asked))
	err := r.docker.Output(ctx, spec, func(stdout io.Reader) error {
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			service, hash, ok := strings.Cut(strings.TrimSpace(scanner.Text()), " ")
			if !ok {
				return fmt.Errorf("docker compose config --hash said %q", scanner.Text())
			}
			hashes[service] = hash
		}
		return scanner.Err()
	})
	return hashes, err
}

// asksForMore reports whether a flag asks for something to be done, and not only for a
// state.
func asksForMore(d *v1.DeployAction) bool {
	for i, arg := range d.ExtraArgs {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "-d", "--detach", "--wait", "--wait-timeout", "--timeout", "-t", "--quiet-pull":
		default:
			value := i > 0 && slices.Contains([]string{"--wait-timeout", "--timeout", "-t"}, d.ExtraArgs[i-1])
			if !value {
				return true
			}
		}
	}
	return false
}

// quiet is a sink for what nobody can be told.
type quiet struct{}

func (quiet) Line(action.Stream, string) {}
func (quiet) Progress(int, string)       {}
func (quiet) Result(v1.JSON)             {}
