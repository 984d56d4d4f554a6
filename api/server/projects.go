package server

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// listProjects answers with the workspace's compose projects.
func (s *Server) listProjects(w http.ResponseWriter, r *request) error {
	if _, err := s.workspaceRecord(r); err != nil {
		return err
	}
	items, err := s.opts.Worker.Projects(r.Context(), r.workspace)
	if err != nil {
		return unavailable(err)
	}
	if items == nil {
		items = []v1.Project{}
	}
	writeJSON(w, http.StatusOK, v1.ProjectList{Items: items})
	return nil
}

// unavailable is the answer to an error of the worker that is not the API's own: the engine
// does not answer.
func unavailable(err error) error {
	if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
		return err
	}
	return apierrors.NewServiceUnavailable(err.Error())
}

// forgetProject removes what is kept of a compose project.
func (s *Server) forgetProject(w http.ResponseWriter, r *request) error {
	if _, err := s.workspaceRecord(r); err != nil {
		return err
	}
	if err := s.opts.Worker.Forget(r.Context(), r.workspace, r.name); err != nil {
		return unavailable(err)
	}
	writeJSON(w, http.StatusOK, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: r.name, Group: v1.Group, Kind: "projects"},
	})
	return nil
}
