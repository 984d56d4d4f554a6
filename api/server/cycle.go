package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const (
	// maxDependencyDepth is how many jobs that have not finished may wait for each other in
	// a row. Pipelines that people write have a dozen steps.
	maxDependencyDepth = 100
	// maxDependencyWalk bounds how many jobs the search for a cycle reads. The controller
	// finds cycles that lie behind them.
	maxDependencyWalk = 1000
)

// acyclic refuses a job whose dependsOn leads back to it, or along too many jobs that have
// not finished. The caller holds the lock of the job's workspace until the job is stored, so
// that of two jobs which close a cycle together the second is refused.
func (s *Server) acyclic(ctx context.Context, job *v1.Job) error {
	type step struct {
		name  string
		depth int
	}
	cameFrom := map[string]string{}
	var ahead []step
	enter := func(from string, depth int, depends []v1.JobDependency) {
		for _, d := range depends {
			if _, seen := cameFrom[d.Name]; !seen && len(cameFrom) < maxDependencyWalk {
				cameFrom[d.Name] = from
				ahead = append(ahead, step{d.Name, depth})
			}
		}
	}
	enter(job.Name, 1, job.Spec.DependsOn)
	for ; len(ahead) > 0; ahead = ahead[1:] {
		at := ahead[0]
		if at.name == job.Name {
			way := wayTo(job.Name, cameFrom)
			return refuseDependency(job, way[1], "leads back to this job: "+v1.DependencyWay(way))
		}
		depends, err := s.waitsFor(ctx, store.Key{Kind: v1.KindJob, Namespace: job.Namespace, Name: at.name})
		if err != nil {
			return err
		}
		if len(depends) > 0 && at.depth >= maxDependencyDepth {
			way := append(wayOf(job.Name, at.name, cameFrom), depends[0].Name)
			return refuseDependency(job, way[1], fmt.Sprintf(
				"leads along more than %d jobs that have not finished: %s; wait for some of them to finish first", maxDependencyDepth, v1.DependencyWay(way)))
		}
		enter(at.name, at.depth+1, depends)
	}
	return nil
}

// waitsFor is the dependsOn of a job that has not finished; one that is not there yet has
// none.
func (s *Server) waitsFor(ctx context.Context, key store.Key) ([]v1.JobDependency, error) {
	record, err := s.opts.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && !record.Contains(`"dependsOn":`) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	job, err := record.Job()
	if err != nil || job.Finished() {
		return nil, err
	}
	return job.Spec.DependsOn, nil
}

// wayTo is the way from a job back to it.
func wayTo(name string, cameFrom map[string]string) []string {
	return append(wayOf(name, cameFrom[name], cameFrom), name)
}

// wayOf is the way from one job to another.
func wayOf(from, to string, cameFrom map[string]string) []string {
	var way []string
	for ; to != from; to = cameFrom[to] {
		way = append(way, to)
	}
	way = append(way, from)
	slices.Reverse(way)
	return way
}

func refuseDependency(job *v1.Job, over, why string) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: v1.Group, Kind: v1.KindJob}, job.Name, field.ErrorList{
		field.Invalid(field.NewPath("spec", "dependsOn"), over, why),
	})
}

// withoutCycle calls write, which stores obj over old (nil: it is new), after checking that
// obj closes no cycle. Check and write are one step for the jobs of a workspace within this
// process; the controller finds a cycle that two servers over one store have made.
func (s *Server) withoutCycle(ctx context.Context, obj, old v1.Object, write func() error) error {
	job, ok := obj.(*v1.Job)
	if !ok || len(job.Spec.DependsOn) == 0 {
		return write()
	}
	if was, ok := old.(*v1.Job); ok && slices.Equal(was.Spec.DependsOn, job.Spec.DependsOn) && was.Spec.Reruns == job.Spec.Reruns {
		return write() // it was checked when it began to wait
	}
	release, err := s.dependencies.acquire(ctx, job.Namespace)
	if err != nil {
		return err
	}
	defer release()
	if err := s.acyclic(ctx, job); err != nil {
		return err
	}
	return write()
}
