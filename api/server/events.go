package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/core"
	"jobwright.dev/api/server/eventview"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// listEvents answers with a page, the newest first.
func (s *Server) listEvents(w http.ResponseWriter, r *request) error {
	filter, seq, form, err := s.eventQuery(r)
	if err != nil {
		return err
	}
	var page events.Page
	if s.opts.Events != nil {
		if page, err = s.opts.Events.List(r.Context(), filter); err != nil {
			return err
		}
	}
	if seq == 0 {
		seq = page.Seq // a later page goes on with the first one's
	}
	meta := metav1.ListMeta{ResourceVersion: strconv.FormatUint(seq, 10)}
	if page.Before != 0 {
		meta.Continue = fmt.Sprintf("%d.%d", page.Before, seq)
	}
	list := core.EventList{
		TypeMeta: metav1.TypeMeta{Kind: core.KindEventList, APIVersion: core.Version}, ListMeta: meta,
		Items: make([]core.Event, 0, len(page.Events)),
	}
	for i := range page.Events {
		list.Items = append(list.Items, eventview.Of(&page.Events[i]))
	}
	if form.Table {
		writeJSON(w, http.StatusOK, form.List(list))
		return nil
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// eventQuery parses which events a request selects, and the form in which it accepts them.
// The second value is the sequence number of a continued list's first page.
func (s *Server) eventQuery(r *request) (events.Filter, uint64, eventview.Form, error) {
	filter, seq, err := eventview.Filter(r.params(), r.workspace)
	if err != nil {
		return filter, seq, eventview.Form{}, err
	}
	form, err := eventview.Negotiate(r.Header.Get("Accept"), r.params().Get("includeObject"))
	selected, mayShow := filter.Match, s.sinceWorkspace(r.Context())
	filter.Match = func(e *events.Event) bool { return (selected == nil || selected(e)) && mayShow(e) }
	return filter, seq, form, err
}

// sinceWorkspace returns a filter that hides events older than their workspace: they
// belong to a deleted workspace of the same name. Events of a workspace that does not
// exist pass, because the name has no new owner.
func (s *Server) sinceWorkspace(ctx context.Context) func(*events.Event) bool {
	created := map[string]time.Time{}
	return func(e *events.Event) bool {
		since, known := created[e.Workspace]
		if !known {
			record, err := s.opts.Store.Get(ctx, store.Key{Kind: v1.KindWorkspace, Name: e.Workspace})
			if err != nil {
				return errors.Is(err, store.ErrNotFound)
			}
			workspace, err := record.Object(s.opts.Kinds)
			if err != nil {
				return false
			}
			since = workspace.GetCreationTimestamp().Time
			created[e.Workspace] = since
		}
		return !e.Time.Before(since)
	}
}
