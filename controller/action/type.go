package action

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// Type is one action as data: everything that controller and server need of it.
type Type struct {
	// Name is the type of the action's jobs.
	Name v1.JobType
	// Runner carries out the attempts of these jobs.
	Runner Runner
	// Key returns the concurrency key of a job whose spec has none. It must be quick: the
	// controller calls it whenever a job enters the queue. Nil: no key.
	Key func(*v1.Job) Key
	// Plan returns the changes that a job would make, and leaves no side effect. Faults of
	// the job are problems of the plan; an error means that no plan could be made. Nil: jobs
	// of this type have no plan.
	Plan func(context.Context, *v1.Job) (*v1.Plan, error)
	// Keeper removes the action's files of deleted jobs. Nil: the action keeps none.
	Keeper Keeper
	// Close ends the processes and connections that the action keeps between attempts. The
	// server calls it after the last attempt. Nil: there are none.
	Close func()
}

// Keeper is a store of data about jobs beside their objects.
type Keeper interface {
	// Kept calls visit for each job with data, and returns the first error of visit. visit
	// may call Forget.
	Kept(ctx context.Context, visit func(JobRef) error) error
	// Forget removes the data of a job, if there is any.
	Forget(ctx context.Context, job JobRef) error
}

// Key limits how many jobs run at once. The zero Key is no limit.
type Key struct {
	// Name identifies the group of jobs. It is shared by all workspaces; to separate them, the
	// name must contain the workspace.
	Name string
	// Limit is the number of jobs of the group that may run at once.
	Limit int
	// InOrder makes the jobs start in submit order. A job that waits for its retry blocks the
	// jobs after it.
	InOrder bool
	// Subject names the limited resource for a person, e.g. "its compose project".
	Subject string
}

// Set is the registry of actions, which controller and server are given. A program with
// other actions creates its own set.
type Set []Type

// Check returns the first fault of a set: an action without name or Runner, or a name twice.
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

// Find returns the action for a type of jobs.
func (s Set) Find(name v1.JobType) (Type, bool) {
	for i := range s {
		if s[i].Name == name {
			return s[i], true
		}
	}
	return Type{}, false
}

// Key returns the concurrency key that a job has by its action.
func (s Set) Key(job *v1.Job) Key {
	if t, ok := s.Find(job.Spec.Type); ok && t.Key != nil {
		return t.Key(job)
	}
	return Key{}
}

// Plan returns the plan of a job by its action.
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

// Close closes the actions in reverse order.
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
