package compose

import (
	"errors"
	"os/exec"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// Options configure a Runner.
type Options struct {
	// Roots are the folders below which compose files may lie, DIR for every workspace and
	// WORKSPACE=DIR for one; none: every deploy is refused.
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
	// Since tells when a workspace was made, or revisions.ErrNoWorkspace: revisions and projects that
	// are older were those of another one of its name. nil: there was never another.
	Since func(workspace string) (time.Time, error)
	// Network is where health probes may go beside the ports that the deploy's containers
	// publish; nil: to public addresses.
	Network *outbound.Network
}

// Runner runs docker compose. It implements action.Runner.
type Runner struct {
	roots    []root
	docker   engine.Docker
	projects projects
	turns    turns

	secrets   *secrets.Set
	since     func(workspace string) (time.Time, error)
	revisions *revisions.Store
	network   *outbound.Network
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
	program := opts.Docker
	if program == "" {
		program = "docker"
	}
	r := &Runner{roots: roots, secrets: opts.Secrets, revisions: opts.Revisions, since: opts.Since, network: opts.Network}
	if r.network == nil {
		r.network = outbound.New(outbound.Options{})
	}
	r.docker = engine.Docker{Program: program, Worker: opts.Worker, Redactor: func() *secrets.Redactor { return r.secrets.Redactor("", nil) }}
	return r, nil
}

// OpenRoots are the roots that every workspace may use, as they were given.
func (r *Runner) OpenRoots() []string {
	var out []string
	for _, root := range r.roots {
		if root.workspace == "" {
			out = append(out, root.given)
		}
	}
	return out
}

// restorer keeps and restores revisions.
func (r *Runner) restorer() rollback.Restorer {
	return rollback.Restorer{Docker: r.docker, Revisions: r.revisions, Secrets: r.secrets, Since: r.since}
}

// project is a project as the attempt sees it.
func (r *Runner) project(a action.Attempt, name string) *engine.Project {
	return &engine.Project{Docker: r.docker, Attempt: a.ID, Name: name}
}

// spec runs docker compose for an attempt.
func (r *Runner) spec(a action.Attempt, src source, args []string) process.Spec {
	return process.Spec{Path: r.docker.Program, Args: args, Dir: src.folder(), Env: r.variables(a.Job), Worker: r.docker.Worker, Attempt: a.ID}
}

// unavailable is the outcome when docker could not be started.
func (r *Runner) unavailable(err error) action.Outcome {
	hint := ""
	if errors.Is(err, exec.ErrNotFound) {
		hint = " Install docker with its compose plugin where the server runs."
	}
	return action.Fail(v1.ReasonCommandUnavailable, err.Error()+"."+hint)
}
