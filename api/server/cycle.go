package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// maxDependencyWalk bounds how many jobs the search for a cycle reads. The controller
// finds longer cycles.
const maxDependencyWalk = 10_000

// acyclic refuses a job whose dependsOn leads back to it. The caller holds
// s.dependencies until the job is stored, so that of two jobs which close a cycle
// together the second is refused.
func (s *Server) acyclic(ctx context.Context, job *v1.Job) error {
	seen := map[string]bool{}
	var walk func(way []string, depends []v1.JobDependency) ([]string, error)
	walk = func(way []string, depends []v1.JobDependency) ([]string, error) {
		for _, d := range depends {
			if d.Name == job.Name {
				return append(way, d.Name), nil
			}
			if seen[d.Name] || len(seen) == maxDependencyWalk {
				continue
			}
			seen[d.Name] = true
			record, err := s.opts.Store.Get(ctx, store.Key{Kind: v1.KindJob, Namespace: job.Namespace, Name: d.Name})
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			next, err := record.Job()
			if err != nil {
				return nil, err
			}
			if next.Finished() {
				continue
			}
			if cycle, err := walk(append(slices.Clip(way), d.Name), next.Spec.DependsOn); cycle != nil || err != nil {
				return cycle, err
			}
		}
		return nil, nil
	}
	cycle, err := walk([]string{job.Name}, job.Spec.DependsOn)
	if err != nil || cycle == nil {
		return err
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: v1.Group, Kind: v1.KindJob}, job.Name, field.ErrorList{
		field.Invalid(field.NewPath("spec", "dependsOn"), cycle[1], fmt.Sprintf("leads back to this job: %s", strings.Join(cycle, " → "))),
	})
}

// withoutCycle calls write, which stores obj, after checking that obj closes no cycle.
// Check and write are one step within this process; the controller finds a cycle that two
// servers over one store have made.
func (s *Server) withoutCycle(ctx context.Context, obj v1.Object, write func() error) error {
	job, ok := obj.(*v1.Job)
	if !ok || len(job.Spec.DependsOn) == 0 {
		return write()
	}
	s.dependencies.Lock()
	defer s.dependencies.Unlock()
	if err := s.acyclic(ctx, job); err != nil {
		return err
	}
	return write()
}
