package server

import (
	"net/http"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
)

// listRevisions answers with a project's revisions, or without a project with the newest
// of each. compose=true and diff=true ask for what is long.
func (s *Server) listRevisions(w http.ResponseWriter, r *request) error {
	record, err := s.workspaceRecord(r)
	if err != nil {
		return err
	}
	ws, err := record.Workspace()
	if err != nil {
		return err
	}
	if r.name != "" && !v1.IsProjectName(r.name) {
		return apierrors.NewBadRequest(public.Quote(r.name) + " is no name of a compose project: it must consist of lower case letters, digits, '-' and '_', and start with a letter or digit")
	}
	list := v1.RevisionList{}
	if r.name == "" {
		list.Items, err = s.opts.Worker.Newest(r.workspace)
	} else {
		list.Items, err = s.opts.Worker.History(r.workspace, r.name)
	}
	if err != nil {
		return err
	}
	// A workspace that was deleted and made anew is another one.
	list.Items = slices.DeleteFunc(list.Items, func(revision v1.Revision) bool {
		return revision.Damaged == "" && revision.Time.Time.Before(ws.CreationTimestamp.Time)
	})
	query := r.params()
	compose, _ := strconv.ParseBool(query.Get("compose"))
	diff, _ := strconv.ParseBool(query.Get("diff"))
	for i := range list.Items {
		list.Items[i].Damaged = s.public.Text(list.Items[i].Damaged)
		if !compose {
			list.Items[i].Compose = ""
		}
		if !diff {
			list.Items[i].Diff = ""
		}
	}
	if list.Items == nil {
		list.Items = []v1.Revision{}
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}
