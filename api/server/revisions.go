package server

import (
	"net/http"
	"slices"
	"strconv"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// RevisionHistory has the good states of compose projects. What it returns is the
// workspace's own; of other workspaces' revisions nothing is told, not even that there
// are any.
type RevisionHistory interface {
	// History is a project's revisions, the newest first, each with its compose file and
	// the difference to the one before it.
	History(workspace, project string) ([]v1.Revision, error)
	// Newest is the newest revision of each project, by the project's name.
	Newest(workspace string) ([]v1.Revision, error)
}

// resourceRevisions is the last word of the routes of revisions. They are no objects:
// nobody creates or changes them.
const resourceRevisions = "revisions"

func (s *Server) revisionRoutes(handle func(string, http.HandlerFunc)) {
	if s.Revisions == nil {
		return
	}
	for _, route := range []string{"", "/{project}"} {
		handle("GET "+groupPath+"/namespaces/{namespace}/"+resourceRevisions+route, func(w http.ResponseWriter, r *http.Request) {
			if err := s.listRevisions(w, r); err != nil {
				s.refuse(w, err, v1.Kind{Name: "Revision", Resource: resourceRevisions}, r.PathValue("project"))
			}
		})
	}
}

// listRevisions answers with a project's revisions, or without a project with the newest
// of each. compose=true and diff=true ask for what is long.
func (s *Server) listRevisions(w http.ResponseWriter, r *http.Request) error {
	workspace, project := r.PathValue("namespace"), r.PathValue("project")
	record, err := s.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: workspace})
	if err != nil {
		s.refuse(w, err, v1.Kind{Name: v1.KindWorkspace, Resource: "workspaces"}, workspace)
		return nil
	}
	ws, err := record.Workspace()
	if err != nil {
		return err
	}
	list := v1.RevisionList{}
	if project == "" {
		list.Items, err = s.Revisions.Newest(workspace)
	} else {
		list.Items, err = s.Revisions.History(workspace, project)
	}
	if err != nil {
		return err
	}
	// A workspace that was deleted and made anew is another one.
	list.Items = slices.DeleteFunc(list.Items, func(revision v1.Revision) bool {
		return revision.Damaged == "" && revision.Time.Time.Before(ws.CreationTimestamp.Time)
	})
	query := r.URL.Query()
	compose, _ := strconv.ParseBool(query.Get("compose"))
	diff, _ := strconv.ParseBool(query.Get("diff"))
	for i := range list.Items {
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
