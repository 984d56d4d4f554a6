package server

import (
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func (s *Server) get(w http.ResponseWriter, r *request) error {
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return err
	}
	if r.route.Kind.Name != v1.KindJob || s.opts.Worker == nil {
		writeRecord(w, http.StatusOK, record)
		return nil
	}
	phase, err := record.Phase()
	if err != nil {
		return err
	}
	if phase != v1.JobQueued {
		writeRecord(w, http.StatusOK, record)
		return nil
	}
	job, err := record.Job()
	if err != nil {
		return err
	}
	if job.Status.BlockedBy, err = s.opts.Worker.Blockers(r.Context(), job); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, job)
	return nil
}

func (s *Server) create(w http.ResponseWriter, r *request) error {
	claim, err := s.claimKey(r)
	if err != nil {
		return err
	}
	defer claim.end()
	kind := r.route.Kind
	obj := kind.New()
	if err := decodeBody(r, obj); err != nil {
		return err
	}
	if made, ok := claim.repeated(); ok {
		w.Header().Set(IdempotencyReplayed, "true")
		return s.writeCreated(w, r, obj, made)
	}
	if err := neverRan(kind, obj); err != nil {
		return err
	}
	if err := s.place(r, obj); err != nil {
		return err
	}
	resetForCreate(kind, obj, s.mayImpersonate(r))
	claim.mark(obj, "", 0)
	obj.Default()
	if err := validate(kind, obj, nil); err != nil {
		return err
	}
	if r.dry {
		return s.createNothing(w, r, obj)
	}
	var records []store.Record
	err = s.withoutCycle(r.Context(), obj, nil, func() (err error) {
		records, err = s.opts.Store.Create(claim.context(r.Context()), obj)
		return err
	})
	if err != nil {
		return named(err, kind, obj.GetName())
	}
	s.created(obj)
	if claim != nil {
		return s.writeCreated(w, r, obj, records[0])
	}
	writeRecord(w, http.StatusCreated, records[0])
	return nil
}

// neverRan refuses an object that has ended on another server: what a backup or another
// store holds would run again here.
func neverRan(kind v1.Kind, obj v1.Object) error {
	_, phase := kind.Summary(obj)
	if obj.GetUID() == "" || !phase.Terminal() {
		return nil
	}
	return invalid(kind, obj.GetName(), field.ErrorList{field.Forbidden(field.NewPath("status", "phase"),
		fmt.Sprintf("the object has ended %s elsewhere, and creating it would run it again; bring a backup back with jobwright restore, or remove status from the manifest to run it anew", phase))})
}

// createNothing answers a creation that is a dry run with the object as it would be stored.
func (s *Server) createNothing(w http.ResponseWriter, r *request, obj v1.Object) error {
	_, err := s.opts.Store.Get(r.Context(), store.KeyOf(obj))
	switch {
	case err == nil:
		return named(store.ErrExists, r.route.Kind, obj.GetName())
	case !errors.Is(err, store.ErrNotFound):
		return named(err, r.route.Kind, obj.GetName())
	}
	if err := s.withoutCycle(r.Context(), obj, nil, func() error { return nil }); err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, obj)
	return nil
}

// writeCreated answers a creation that may be repeated with the object as it was created,
// whatever has become of the object since. The answer has no resourceVersion, because a
// repeated answer could only name an outdated one.
func (s *Server) writeCreated(w http.ResponseWriter, r *request, obj v1.Object, record store.Record) error {
	made, err := record.Object(s.opts.Kinds)
	if err != nil {
		return err
	}
	resetForCreate(r.route.Kind, obj, s.mayImpersonate(r))
	obj.Default()
	keepReserved(obj, made)
	obj.SetName(made.GetName())
	obj.SetNamespace(made.GetNamespace())
	obj.SetUID(made.GetUID())
	obj.SetCreationTimestamp(made.GetCreationTimestamp())
	obj.SetGeneration(1)
	writeJSON(w, http.StatusCreated, obj)
	return nil
}

// named is the refusal of an object whose name is not in the path.
func named(err error, kind v1.Kind, name string) error {
	status := statusOf(err, kind, name)
	return &apierrors.StatusError{ErrStatus: status}
}

func (s *Server) created(obj v1.Object) {
	if job, ok := obj.(*v1.Job); ok {
		s.metrics.created.WithLabelValues(job.Namespace, string(job.Spec.Type)).Inc()
	}
}

// place sets the namespace and the name of a new object, and checks that its workspace
// exists and has room.
func (s *Server) place(r *request, obj v1.Object) error {
	kind := r.route.Kind
	if kind.Namespaced {
		workspace, err := s.workspaceFor(r, obj)
		if err != nil {
			return err
		}
		if kind.Name == v1.KindJob {
			err = s.mayQueue(r, workspace, 1)
		}
		if err != nil {
			return err
		}
	}
	generateName(obj)
	return nil
}

// workspaceRecord is the workspace of a request that shows what no object holds.
func (s *Server) workspaceRecord(r *request) (store.Record, error) {
	record, err := s.opts.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: r.workspace})
	if err != nil {
		return store.Record{}, named(err, s.kind(v1.KindWorkspace), r.workspace)
	}
	return record, nil
}

// workspaceFor gives an object the namespace of the request and returns its workspace.
func (s *Server) workspaceFor(r *request, obj v1.Object) (store.Record, error) {
	namespace := r.workspace
	if obj.GetNamespace() != "" && obj.GetNamespace() != namespace {
		return store.Record{}, apierrors.NewBadRequest(fmt.Sprintf(
			"the namespace of the object (%s) is not that of the request (%s)", obj.GetNamespace(), namespace))
	}
	obj.SetNamespace(namespace)
	workspace, err := s.opts.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: namespace})
	if errors.Is(err, store.ErrNotFound) {
		missing := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, namespace)
		missing.ErrStatus.Message += ": there is no such workspace; create it with a manifest of kind Workspace, or by a first POST to /api/jobs"
		err = missing
		if full := s.full(r); namespace == v1.DefaultWorkspace && full != nil {
			err = fmt.Errorf("workspace %s could not be made yet: %w", namespace, full)
		}
	}
	return workspace, err
}

// full is why the store takes no new work for want of disk space; nil: that is not so. A
// server that starts then has no default workspace.
func (s *Server) full(r *request) error {
	if s.opts.Operator == nil {
		return nil
	}
	if err := s.opts.Operator.Ready(r.Context()); errors.Is(err, store.ErrFull) {
		return err
	}
	return nil
}

// generateName completes the name of an object that has only a prefix (generateName).
func generateName(obj v1.Object) {
	if obj.GetName() == "" && obj.GetGenerateName() != "" {
		// Five characters of 27 make a collision within a thousand names unlikely (3 %),
		// and it is answered with AlreadyExists; the Kubernetes API does the same.
		prefix := obj.GetGenerateName()
		obj.SetName(prefix[:min(len(prefix), 58)] + rand.String(5))
	}
}

// resetForCreate clears the fields that only the server sets. trusted: the sender may name
// another creator of a job.
func resetForCreate(kind v1.Kind, obj v1.Object, trusted bool) {
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetGeneration(0)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetDeletionTimestamp(nil)
	obj.SetManagedFields(nil)
	dropReserved(obj)
	kind.PrepareForCreate(obj, trusted)
}
