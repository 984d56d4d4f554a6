package server

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func (s *Server) update(w http.ResponseWriter, r *request) error {
	obj := r.route.Kind.New()
	if err := decodeBody(r, obj); err != nil {
		return err
	}
	if err := checkKey(r, obj); err != nil {
		return err
	}
	if obj.GetResourceVersion() == "" {
		return apierrors.NewBadRequest("metadata.resourceVersion: Required value: must be the version that was read, for an update")
	}
	record, err := s.write(r, obj)
	if err != nil {
		return err
	}
	writeRecord(w, http.StatusOK, record)
	return nil
}

// write replaces the stored object by obj, after defaults and validation.
func (s *Server) write(r *request, obj v1.Object) (store.Record, error) {
	kind := r.route.Kind
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return store.Record{}, err
	}
	old, err := record.Object(s.opts.Kinds)
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
	err = s.withoutCycle(r.Context(), obj, old, func() (err error) {
		if r.dry {
			record, err = s.candidate(kind, obj, record)
		} else {
			record, err = s.opts.Store.Update(r.Context(), obj)
		}
		return err
	})
	if err == nil && !r.dry && old.GetDeletionTimestamp() != nil && len(obj.GetFinalizers()) == 0 {
		s.gone(kind, r.key()) // the last of its finalizers has kept it
	}
	return record, err
}

func (s *Server) updateStatus(w http.ResponseWriter, r *request) error {
	obj := r.route.Kind.New()
	if err := decodeBody(r, obj); err != nil {
		return err
	}
	if err := checkKey(r, obj); err != nil {
		return err
	}
	record, err := s.writeStatus(r, obj)
	if err != nil {
		return err
	}
	writeRecord(w, http.StatusOK, record)
	return nil
}

// writeStatus replaces the status of the stored object by that of obj. A terminal phase is
// sticky and counters never fall, whoever writes.
func (s *Server) writeStatus(r *request, obj v1.Object) (store.Record, error) {
	kind := r.route.Kind
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return store.Record{}, err
	}
	old, err := record.Object(s.opts.Kinds)
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
	if r.dry {
		return s.candidate(kind, obj, record)
	}
	return s.opts.Store.UpdateStatus(r.Context(), obj, durability)
}

// durabilityOf is the durability of a status write. With durability=soft, for progress,
// the answer does not wait for the disk.
func durabilityOf(r *request) (store.Durability, error) {
	switch text := r.params().Get("durability"); text {
	case "", "durable":
		return store.Durable, nil
	case "soft":
		return store.Soft, nil
	default:
		return 0, apierrors.NewBadRequest("durability must be durable or soft, not " + public.Quote(text))
	}
}
