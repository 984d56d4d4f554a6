package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const groupPath = "/apis/" + v1.APIVersion

// objectRoutes are those of every kind.
func (s *Server) objectRoutes(handle func(string, http.HandlerFunc)) {
	for _, kind := range s.Kinds {
		base := groupPath + "/" + kind.Resource
		if kind.Namespaced {
			handle("GET "+base, s.collection(kind, s.list))
			base = groupPath + "/namespaces/{namespace}/" + kind.Resource
		}
		for route, handler := range map[string]objectHandler{
			"GET " + base: s.list, "POST " + base: s.create,
			"GET " + base + "/{name}": s.get, "PUT " + base + "/{name}": s.update,
			"PATCH " + base + "/{name}": s.patch, "DELETE " + base + "/{name}": s.delete,
			"GET " + base + "/{name}/status": s.get, "PUT " + base + "/{name}/status": s.updateStatus,
			"PATCH " + base + "/{name}/status": s.patchStatus,
		} {
			handle(route, s.collection(kind, handler))
		}
		if kind.Name == v1.KindJob {
			handle("GET "+base+"/{name}/log", s.collection(kind, s.log))
			s.actionRoutes(handle, kind, base+"/{name}")
			if s.Plan != nil {
				handle("POST "+groupPath+"/namespaces/{namespace}/plan", s.collection(kind, s.plan))
			}
		}
	}
}

// objectHandler serves a request about one kind; what it returns is answered as a
// metav1.Status.
type objectHandler func(w http.ResponseWriter, r *http.Request, kind v1.Kind) error

func (s *Server) collection(kind v1.Kind, handler objectHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := handler(w, r, kind); err != nil {
			s.refuse(w, err, kind, r.PathValue("name"))
		}
	}
}

func keyOf(r *http.Request, kind v1.Kind) store.Key {
	return store.Key{Kind: kind.Name, Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	record, err := s.Store.Get(r.Context(), keyOf(r, kind))
	if err != nil {
		return err
	}
	if kind.Name != v1.KindJob || s.Blockers == nil {
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
	if job.Status.BlockedBy, err = s.Blockers(r.Context(), job); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, job)
	return nil
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	claim, err := s.claimKey(r, r.PathValue("namespace"))
	if err != nil {
		return err
	}
	defer claim.end()
	obj := kind.New()
	if err := decodeBody(r, kind, obj); err != nil {
		return err
	}
	if made, ok := claim.repeated(); ok {
		w.Header().Set(IdempotencyReplayed, "true")
		return s.writeCreated(w, r, kind, obj, made)
	}
	if err := s.place(r, kind, obj); err != nil {
		return err
	}
	resetForCreate(kind, obj, s.isOperator(r))
	claim.mark(obj, "", 0)
	obj.Default()
	if err := validate(kind, obj, nil); err != nil {
		return err
	}
	if dryRun(r) {
		if _, err := s.Store.Get(r.Context(), store.KeyOf(obj)); err == nil {
			return apierrors.NewAlreadyExists(schema.GroupResource{Group: v1.Group, Resource: kind.Resource}, obj.GetName())
		}
		writeJSON(w, http.StatusCreated, obj)
		return nil
	}
	var records []store.Record
	err = s.withoutCycle(r.Context(), obj, func() (err error) {
		records, err = s.Store.Create(claim.context(r.Context()), obj)
		return err
	})
	if err != nil {
		return named(err, kind, obj.GetName())
	}
	s.created(obj)
	if claim != nil {
		return s.writeCreated(w, r, kind, obj, records[0])
	}
	writeRecord(w, http.StatusCreated, records[0])
	return nil
}

// writeCreated answers a creation that may be repeated: with the object as it was
// created, whatever has become of it. It has no resourceVersion, since a repeated answer
// could only name one that is not the object's any more.
func (s *Server) writeCreated(w http.ResponseWriter, r *http.Request, kind v1.Kind, obj v1.Object, record store.Record) error {
	made, err := record.Object(s.Kinds)
	if err != nil {
		return err
	}
	resetForCreate(kind, obj, s.isOperator(r))
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

// named is the error with the object's name, which the path of a create lacks.
func named(err error, kind v1.Kind, name string) error {
	status := statusOf(err, kind, name)
	return &apierrors.StatusError{ErrStatus: status}
}

func (s *Server) created(obj v1.Object) {
	if job, ok := obj.(*v1.Job); ok {
		s.metrics.created.WithLabelValues(job.Namespace, string(job.Spec.Type)).Inc()
	}
}

// place gives a new object its namespace and name, and checks that the workspace is
// there and has room.
func (s *Server) place(r *http.Request, kind v1.Kind, obj v1.Object) error {
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

// workspaceFor gives an object the namespace of the request and returns its workspace.
func (s *Server) workspaceFor(r *http.Request, obj v1.Object) (store.Record, error) {
	namespace := r.PathValue("namespace")
	if obj.GetNamespace() != "" && obj.GetNamespace() != namespace {
		return store.Record{}, apierrors.NewBadRequest(fmt.Sprintf(
			"the namespace of the object (%s) is not that of the request (%s)", obj.GetNamespace(), namespace))
	}
	obj.SetNamespace(namespace)
	workspace, err := s.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: namespace})
	if errors.Is(err, store.ErrNotFound) {
		missing := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, namespace)
		missing.ErrStatus.Message += ": there is no such workspace; create it with a manifest of kind Workspace, or by a first POST to /api/jobs"
		err = missing
	}
	return workspace, err
}

// generateName names an object that only says how its name begins.
func generateName(obj v1.Object) {
	if obj.GetName() == "" && obj.GetGenerateName() != "" {
		// Five characters of 27 make a collision within a thousand names unlikely (3 %),
		// and it is answered with AlreadyExists; the Kubernetes API does the same.
		prefix := obj.GetGenerateName()
		obj.SetName(prefix[:min(len(prefix), 58)] + rand.String(5))
	}
}

// resetForCreate clears what only the server sets. trusted: the request may say who
// creates a job.
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

func (s *Server) update(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	obj := kind.New()
	if err := decodeBody(r, kind, obj); err != nil {
		return err
	}
	if err := checkKey(r, kind, obj); err != nil {
		return err
	}
	if obj.GetResourceVersion() == "" {
		return apierrors.NewBadRequest("metadata.resourceVersion: Required value: must be the version that was read, for an update")
	}
	record, err := s.write(r, kind, obj)
	if err != nil {
		return err
	}
	writeRecord(w, http.StatusOK, record)
	return nil
}

// write stores obj over what is there, after defaults and validation.
func (s *Server) write(r *http.Request, kind v1.Kind, obj v1.Object) (store.Record, error) {
	record, err := s.Store.Get(r.Context(), keyOf(r, kind))
	if err != nil {
		return store.Record{}, err
	}
	old, err := record.Object(s.Kinds)
	if err != nil {
		return store.Record{}, err
	}
	if obj.GetUID() != "" && obj.GetUID() != old.GetUID() {
		return store.Record{}, fmt.Errorf("uid is %s, not %s: %w", old.GetUID(), obj.GetUID(), store.ErrConflict)
	}
	if obj.GetResourceVersion() != old.GetResourceVersion() {
		return store.Record{}, store.ErrConflict
	}
	obj.SetUID(old.GetUID())
	obj.SetGeneration(old.GetGeneration())
	obj.SetCreationTimestamp(old.GetCreationTimestamp())
	obj.SetDeletionTimestamp(old.GetDeletionTimestamp())
	obj.SetManagedFields(old.GetManagedFields())
	keepReserved(obj, old)
	kind.PrepareForUpdate(obj, old)
	obj.Default()
	if err := validate(kind, obj, old); err != nil {
		return store.Record{}, err
	}
	if dryRun(r) {
		return record, nil
	}
	err = s.withoutCycle(r.Context(), obj, func() (err error) {
		record, err = s.Store.Update(r.Context(), obj)
		return err
	})
	return record, err
}

func (s *Server) updateStatus(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	obj := kind.New()
	if err := decodeBody(r, kind, obj); err != nil {
		return err
	}
	if err := checkKey(r, kind, obj); err != nil {
		return err
	}
	record, err := s.writeStatus(r, kind, obj)
	if err != nil {
		return err
	}
	writeRecord(w, http.StatusOK, record)
	return nil
}

// writeStatus stores obj's status over what is there. A terminal phase is sticky and
// counters never fall, whoever writes.
func (s *Server) writeStatus(r *http.Request, kind v1.Kind, obj v1.Object) (store.Record, error) {
	record, err := s.Store.Get(r.Context(), keyOf(r, kind))
	if err != nil {
		return store.Record{}, err
	}
	old, err := record.Object(s.Kinds)
	if err != nil {
		return store.Record{}, err
	}
	if version, uid := obj.GetResourceVersion(), obj.GetUID(); version != "" && version != old.GetResourceVersion() || uid != "" && uid != old.GetUID() {
		return store.Record{}, store.ErrConflict // before its status is held against another's
	}
	changed := kind.WithStatus(old, obj)
	if err := invalid(kind, obj.GetName(), kind.ValidateStatus(changed, old)); err != nil {
		return store.Record{}, err
	}
	changed.SetResourceVersion(obj.GetResourceVersion())
	obj = changed
	if obj.GetResourceVersion() == "" {
		return store.Record{}, apierrors.NewBadRequest("metadata.resourceVersion: Required value: must be the version that was read, for an update")
	}
	durability, err := durabilityOf(r)
	if err != nil {
		return store.Record{}, err
	}
	if dryRun(r) {
		return record, nil
	}
	return s.Store.UpdateStatus(r.Context(), obj, durability)
}

// durabilityOf is what the answer to a write of a status promises: with
// durability=soft, for progress, that it is seen and will be on disk soon.
func durabilityOf(r *http.Request) (store.Durability, error) {
	switch text := r.URL.Query().Get("durability"); text {
	case "", "durable":
		return store.Durable, nil
	case "soft":
		return store.Soft, nil
	default:
		return 0, apierrors.NewBadRequest("durability must be durable or soft, not " + quote(text))
	}
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	key := keyOf(r, kind)
	pre, err := preconditions(r)
	if err != nil {
		return err
	}
	if kind.Name == v1.KindWorkspace {
		if err := s.mayDeleteWorkspace(r, key.Name); err != nil {
			return err
		}
	}
	if dryRun(r) {
		record, err := s.Store.Get(r.Context(), key)
		if err == nil {
			writeRecord(w, http.StatusOK, record)
		}
		return err
	}
	record, err := s.Store.Delete(r.Context(), key, pre)
	if err != nil {
		return err
	}
	if record.Contains(`"deletionTimestamp":`) {
		obj, err := record.Object(s.Kinds)
		if err != nil {
			return err
		}
		if obj.GetDeletionTimestamp() != nil { // its finalizers keep it
			writeRecord(w, http.StatusOK, record)
			return nil
		}
	}
	writeJSON(w, http.StatusOK, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: key.Name, Group: v1.Group, Kind: kind.Resource, UID: record.UID()},
	})
	return nil
}

func (s *Server) mayDeleteWorkspace(r *http.Request, name string) error {
	resource := schema.GroupResource{Group: v1.Group, Resource: v1.ResourceWorkspaces}
	if name == v1.DefaultWorkspace {
		return apierrors.NewForbidden(resource, name, fmt.Errorf("the workspace %q always exists", name))
	}
	for _, kind := range s.Kinds {
		if !kind.Namespaced {
			continue
		}
		page, err := s.Store.List(r.Context(), store.ListOptions{Kind: kind.Name, Namespace: name, Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Items) > 0 {
			return apierrors.NewConflict(resource, name, fmt.Errorf("it still has %s; delete them first", kind.Resource))
		}
	}
	return nil
}

// preconditions reads DeleteOptions from the body, if there are any.
func preconditions(r *http.Request) (store.Preconditions, error) {
	var pre store.Preconditions
	d, err := readDocument(r)
	if d.Empty() && err == nil {
		return pre, nil
	}
	var opts metav1.DeleteOptions
	if err := decodeOptions(d, err, &opts); err != nil {
		return pre, err
	}
	if opts.Preconditions == nil {
		return pre, nil
	}
	if uid := opts.Preconditions.UID; uid != nil {
		pre.UID = *uid
	}
	if version := opts.Preconditions.ResourceVersion; version != nil {
		pre.ResourceVersion, err = strconv.ParseUint(*version, 10, 64)
		if err != nil {
			return pre, apierrors.NewBadRequest("preconditions.resourceVersion must be a number, not " + quote(*version))
		}
	}
	return pre, nil
}

func dryRun(r *http.Request) bool { return r.URL.Query().Get("dryRun") == "All" }
