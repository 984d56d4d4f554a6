package server

import (
	"fmt"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func (s *Server) delete(w http.ResponseWriter, r *request) error {
	kind, key := r.route.Kind, r.key()
	pre, dry, err := deleteOptions(r)
	if err != nil {
		return err
	}
	if kind.Name == v1.KindWorkspace {
		if err := s.mayDeleteWorkspace(r, key.Name); err != nil {
			return err
		}
	}
	if dry || r.dry {
		return s.deleteNothing(w, r, pre)
	}
	record, err := s.opts.Store.Delete(r.Context(), key, pre)
	if err != nil {
		return err
	}
	if record.Contains(`"deletionTimestamp":`) {
		obj, err := record.Object(s.opts.Kinds)
		if err != nil {
			return err
		}
		if obj.GetDeletionTimestamp() != nil { // its finalizers keep it
			writeRecord(w, http.StatusOK, record)
			return nil
		}
	}
	s.gone(kind, key)
	writeJSON(w, http.StatusOK, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: key.Name, Group: v1.Group, Kind: kind.Resource, UID: record.UID()},
	})
	return nil
}

// gone ends what the server keeps of an object that was removed.
func (s *Server) gone(kind v1.Kind, key store.Key) {
	if kind.Name == v1.KindWorkspace {
		s.metrics.forget(key.Name)
	}
}

// deleteNothing answers a deletion that is a dry run with the object that would go.
func (s *Server) deleteNothing(w http.ResponseWriter, r *request, pre store.Preconditions) error {
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return err
	}
	if pre.UID != "" && pre.UID != record.UID() || pre.ResourceVersion != 0 && pre.ResourceVersion != record.ResourceVersion() {
		return store.ErrConflict
	}
	writeRecord(w, http.StatusOK, record)
	return nil
}

// mayDeleteWorkspace refuses to delete the default workspace, and one that is not empty.
func (s *Server) mayDeleteWorkspace(r *request, name string) error {
	resource := schema.GroupResource{Group: v1.Group, Resource: v1.ResourceWorkspaces}
	if name == v1.DefaultWorkspace {
		return apierrors.NewForbidden(resource, name, fmt.Errorf("the workspace %q always exists", name))
	}
	for _, kind := range s.opts.Kinds {
		if !kind.Namespaced {
			continue
		}
		page, err := s.opts.Store.List(r.Context(), store.ListOptions{Kind: kind.Name, Namespace: name, Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Items) > 0 {
			return apierrors.NewConflict(resource, name, fmt.Errorf("it still has %s; delete them first", kind.Resource))
		}
	}
	return nil
}

// deleteOptions reads DeleteOptions from the body, if there are any: the preconditions, and
// whether the deletion is a dry run.
func deleteOptions(r *request) (pre store.Preconditions, dry bool, err error) {
	d, err := readDocument(r)
	if d.Empty() && err == nil {
		return pre, false, nil
	}
	var opts metav1.DeleteOptions
	if err := decodeOptions(d, err, &opts); err != nil {
		return pre, false, err
	}
	if dry, err = dryRunIn(opts.DryRun); err != nil || opts.Preconditions == nil {
		return pre, dry, err
	}
	if uid := opts.Preconditions.UID; uid != nil {
		pre.UID = *uid
	}
	if version := opts.Preconditions.ResourceVersion; version != nil {
		pre.ResourceVersion, err = strconv.ParseUint(*version, 10, 64)
		if err != nil {
			return pre, dry, apierrors.NewBadRequest("preconditions.resourceVersion must be a number, not " + public.Quote(*version))
		}
	}
	return pre, dry, nil
}
