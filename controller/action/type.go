package action

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// Type is one action as data: everything that the controller and the server ask of it.
type Type struct {
	// Name is the type of the jobs that it carries out.
	Name v1.JobType
	// Runner carries their attempts out.
	Runner Runner
	// Key is the concurrency key of a job whose spec names none. It is quick: the controller
	// calls it whenever a job is placed in the queue. Nil: its jobs have none.
	Key func(*v1.Job) Key
	// Plan tells what a job would do, and has no side effect that outlives it. What is wrong
	// with the job stands in the plan's problems; an error means that it could not be found
	// out. Nil: the action cannot tell.
	Plan func(context.Context, *v1.Job) (*v1.Plan, error)
	// Keeper removes what the action keeps of jobs that are deleted. Nil: it keeps nothing.
	Keeper Keeper
	// Close ends what the action keeps running between attempts. It is called after the
	// last of them. Nil: nothing runs.
	Close func()
}

// Keeper keeps something of jobs beside their objects.
type Keeper interface {
	// Kept calls visit with each job of which something is kept, and ends with the first
	// error of visit. visit may have the job forgotten.
	Kept(ctx context.Context, visit func(JobRef) error) error
	// Forget removes what is kept of a job; it is no error when nothing is.
	Forget(ctx context.Context, job JobRef) error
}

// Key limits how many jobs run at once. The zero Key limits none.
type Key struct {
	// Name is what the jobs have in common; it holds across workspaces, unless the workspace
	// is part of it.
	Name string
	// Limit is how many of them may run.
	Limit int
	// InOrder has them start in submit order. One that waits for its retry keeps the others
	// waiting.
	InOrder bool
	// Subject says for a person what is limited, e.g. "its compose project".
	Subject string
}

// Set is the registry: the actions that a controller and a server know. Whoever wants other
// actions makes a set of their own.
type Set []Type

// Check says what a set lacks.
func (s Set) Check() error {
	for i, t := range s {
		switch {
		case t.Name == "":
			return fmt.Errorf("action %d has no name", i)
		case t.Runner == nil:
			return fmt.Errorf("action %s has no Runner", t.Name)
		case slices.ContainsFunc(s[:i], func(before Type) bool { return before.Name == t.Name }):
			return fmt.Errorf("action %s is registered twice", t.Name)
		}
	}
	return nil
}

// Find is the action of a type of jobs.
func (s Set) Find(name v1.JobType) (Type, bool) {
	for i := range s {
		if s[i].Name == name {
			return s[i], true
		}
	}
	return Type{}, false
}

// Key is the concurrency key that a job has by its action.
func (s Set) Key(job *v1.Job) Key {
	if t, ok := s.Find(job.Spec.Type); ok && t.Key != nil {
		return t.Key(job)
	}
	return Key{}
}

// Plan tells what a job would do.
func (s Set) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	switch t, ok := s.Find(job.Spec.Type); {
	case !ok:
		return nil, fmt.Errorf("this server runs no jobs of type %q; it runs %s", job.Spec.Type, s.names())
	case t.Plan == nil:
		return nil, fmt.Errorf("jobs of type %s cannot tell what they would do", job.Spec.Type)
	default:
		return t.Plan(ctx, job)
	}
}

// Close closes the actions, the last one first.
func (s Set) Close() {
	for _, t := range slices.Backward(s) {
		if t.Close != nil {
			t.Close()
		}
	}
}

func (s Set) names() string {
	names := make([]string, 0, len(s))
	for _, t := range s {
		names = append(names, string(t.Name))
	}
	return strings.Join(names, ", ")
}
