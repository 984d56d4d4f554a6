package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// tailLines is how many of compose's last words a failure's message repeats.
const tailLines = 20

// Options configure a Runner.
type Options struct {
	// Roots are the folders below which compose files may lie; none: every deploy is
	// refused.
	Roots []string
	// Worker is the identity that compose's processes carry. Required.
	Worker string
	// Docker is the docker program; empty: "docker".
	Docker string
	// Secrets are what deploys may name in env; nil: none.
	Secrets *secrets.Set
	// Revisions is where good states of projects are kept; nil: none are kept, and nothing
	// can be rolled back.
	Revisions *revisions.Store
	// Since tells when a workspace was made: revisions that are older were those of another
	// one of its name. nil: there was never another.
	Since func(workspace string) (time.Time, error)
	// CheckAddress refuses addresses ("192.0.2.1:80") to which a health probe must not go;
	// nil: it goes nowhere but to ports that the deploy's containers publish.
	CheckAddress func(address string) error
}

// Runner runs docker compose. It implements action.Runner.
type Runner struct {
	roots    []string
	worker   string
	docker   string
	projects projects

	secrets   *secrets.Set
	revisions *revisions.Store
	since     func(workspace string) (time.Time, error)
	turns     turns

	checkAddress func(address string) error
}

// New returns a Runner; it fails when a root is not there.
func New(opts Options) (*Runner, error) {
	roots, err := resolveRoots(opts.Roots)
	if err != nil {
		return nil, err
	}
	if opts.Worker == "" {
		return nil, errors.New("compose: no worker identity")
	}
	r := &Runner{roots: roots, worker: opts.Worker, docker: opts.Docker, secrets: opts.Secrets, revisions: opts.Revisions, since: opts.Since, checkAddress: opts.CheckAddress}
	if r.docker == "" {
		r.docker = "docker"
	}
	return r, nil
}

// recover ends the compose of a dead server, and looks whether the project already is as
// asked. If not, running compose again makes it so.
func (r *Runner) recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	if _, err := process.Reap(ctx, r.worker, a.ID); err != nil {
		return action.Outcome{}, fmt.Errorf("end docker compose of attempt %s: %w", a.ID, err)
	}
	lost := action.Outcome{Verdict: action.Lost, Repeatable: true}
	if a.Job.Spec.Deploy == nil {
		return lost, nil
	}
	probing, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	containers, asAsked, err := r.probe(probing, a)
	if err != nil {
		// A job whose file is gone ends by its own run; an engine that does not answer is
		// asked again later.
		asking, cancel := context.WithTimeout(ctx, reachTime)
		defer cancel()
		if down := r.reachable(asking, a); down != nil && !errors.Is(down, exec.ErrNotFound) {
			return action.Outcome{}, fmt.Errorf("look at the compose project: the docker engine does not answer: %w", down)
		}
		lost.Message = "Whether the project is as asked could not be found out: " + err.Error() + "."
		return lost, nil
	}
	if !asAsked {
		return lost, nil
	}
	found := action.Outcome{Verdict: action.Succeeded, Message: "Found as asked after the server that ran docker compose had ended; nothing was started again."}
	if result, err := v1.NewJSON(map[string]any{"containers": containers}); err == nil {
		found.Result = &result
	}
	return found, nil
}

// compose runs docker compose as the job asks.
func (r *Runner) compose(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	if d == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.deploy: Required value")
	}
	file, err := find(r.roots, d)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	args, err := commandLine(d, file)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	name := "docker compose " + strings.Join(args[4:], " ")
	out.Line(action.System, name)
	out.Progress(0, "compose:"+string(d.Verb))
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: name + " was not started.", Repeatable: true}
	}
	if d.Verb.Converges() {
		return r.converge(ctx, a, file, args, name, out)
	}
	p, err := process.Start(r.spec(a, file, args))
	if err != nil {
		return r.unavailable(err)
	}
	stop := context.AfterFunc(ctx, func() {
		out.Line(action.System, fmt.Sprintf("asked to stop; docker compose gets %s before it is killed", a.Grace))
		// What is left when this fails is found by Kill below, or reported there.
		_ = p.Stop(context.WithoutCancel(ctx), a.Grace)
	})
	course := newCourse(model{})
	tail := r.read(p, d.Verb, out, func(e *event, pct int, step string) {
		if e != nil {
			course.add(*e)
		}
		out.Progress(pct, step)
	})
	code := p.Wait()
	stopped := !stop()
	if err := p.Kill(ctx); err != nil {
		out.Line(action.System, err.Error())
	}
	if stopped && ctx.Err() != nil && code != 0 {
		return action.Outcome{Verdict: action.Stopped, Message: name + " was stopped; containers were left as they were at that moment.", Repeatable: true}
	}
	return outcome(d.Verb, name, code, course, tail)
}

func (r *Runner) spec(a action.Attempt, file string, args []string) process.Spec {
	return process.Spec{Path: r.docker, Args: args, Dir: filepath.Dir(file), Env: r.variables(a.Job), Worker: r.worker, Attempt: a.ID}
}

func (r *Runner) unavailable(err error) action.Outcome {
	hint := ""
	if errors.Is(err, exec.ErrNotFound) {
		hint = " Install docker with its compose plugin where the server runs."
	}
	return action.Fail(v1.ReasonCommandUnavailable, err.Error()+"."+hint)
}

// read passes compose's output on until its end and returns its last words. It tells
// progress of each event, and of each line that is none: then the event is nil.
func (r *Runner) read(p *process.Process, verb v1.DeployVerb, out action.Sink, progress func(e *event, pct int, step string)) string {
	p.Stdin.Close()
	tail := process.Tail{N: tailLines}
	hide := r.redactor()
	var readers sync.WaitGroup
	readers.Go(func() {
		defer p.Stdout.Close()
		_ = process.Lines(hide.Reader(p.Stdout), func(line string) { // ends with the process
			out.Line(action.Stdout, line)
			progress(nil, -1, "")
		})
	})
	track := newTracker(string(verb))
	err := process.Lines(hide.Reader(p.Stderr), func(line string) {
		e, ok := parseEvent(line)
		if !ok {
			tail.Add(line)
			out.Line(action.Stderr, line)
			progress(nil, -1, "")
			return
		}
		pct, step, news := track.add(e)
		progress(&e, pct, step)
		if news {
			tail.Add(e.text())
			out.Line(action.Stderr, e.text())
		}
	})
	if err != nil {
		out.Line(action.System, "the output of docker compose broke off: "+err.Error())
	}
	p.Stderr.Close()
	readers.Wait()
	return tail.String()
}

// outcome makes one of the exit code.
func outcome(verb v1.DeployVerb, name string, code int, course *course, tail string) action.Outcome {
	exit := int32(code)
	o := action.Outcome{Verdict: action.Succeeded, ExitCode: &exit}
	if encoded, err := v1.NewJSON(result{ExitCode: &code}); err == nil {
		o.Result = &encoded
	}
	if code == 0 {
		return o
	}
	at := map[v1.DeployVerb]stage{v1.DeployBuild: building, v1.DeployPull: pulling}[verb]
	c := diagnose(course, at, tail)
	o.Verdict, o.Reason, o.Message = action.Failed, c.reason, c.sentence()+" "+ended(name, code)+lastWords(tail)
	return o
}

// containers are those of the deploy's project and services, whatever their state.
func (r *Runner) containers(ctx context.Context, a action.Attempt, file string) ([]container, error) {
	args := append(base(a.Job.Spec.Deploy, file), "ps", "--all", "--format=json")
	if services := a.Job.Spec.Deploy.Services; len(services) > 0 {
		args = append(append(args, "--"), services...)
	}
	var containers []container
	err := r.query(ctx, a, file, args, func(stdout io.Reader) (err error) {
		containers, err = parseContainers(stdout)
		return err
	})
	return containers, err
}

// query runs docker compose for its output.
func (r *Runner) query(ctx context.Context, a action.Attempt, file string, args []string, read func(io.Reader) error) error {
	return r.capture(ctx, r.spec(a, file, args), read)
}

// capture runs a program for its output.
func (r *Runner) capture(ctx context.Context, spec process.Spec, read func(io.Reader) error) error {
	return r.overhear(ctx, spec, func(string) {}, read)
}

// overhear is capture that also passes on what the program writes to stderr. The program
// has an identity of its own: ending it ends nothing that runs beside it, and nothing
// that ends the attempt's docker compose ends it. A crash leaves it to the reaping of
// the worker at the next start.
func (r *Runner) overhear(ctx context.Context, spec process.Spec, stderr func(string), read func(io.Reader) error) error {
	spec.Attempt = beside(spec.Attempt)
	p, err := process.Start(spec)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Kill(context.WithoutCancel(ctx)) })
	defer stop()
	p.Stdin.Close()
	words := make(chan string, 1)
	go func() {
		tail, last := process.Tail{N: 3}, ""
		_ = process.Lines(r.redactor().Reader(p.Stderr), func(line string) { // ends with the process
			stderr(line)
			if e, ok := parseEvent(line); ok {
				line = e.text()
			}
			if line != last { // compose says its errors as progress and as text
				tail.Add(line)
			}
			last = line
		})
		p.Stderr.Close()
		words <- tail.String()
	}()
	err = read(p.Stdout)
	_, _ = io.Copy(io.Discard, p.Stdout)
	p.Stdout.Close()
	said := <-words
	code := p.Wait()
	switch {
	case code != 0 && ctx.Err() != nil:
		return fmt.Errorf("docker was stopped: %w", context.Cause(ctx))
	case code != 0: // that it had nothing to read follows from it
		return &refusedError{code: code, said: said}
	}
	return err
}

// refusedError is what a program that was run for its output said instead.
type refusedError struct {
	code int
	said string
}

// Error has the program's own words.
func (e *refusedError) Error() string {
	if e.code < 0 {
		return "docker was ended by a signal"
	}
	return fmt.Sprintf("docker ended with exit code %d: %s", e.code, e.said)
}
