package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// maxEvents bounds the events of one answer, whatever its limit is: about ten megabytes
// with the longest messages. Clients page through the rest with continue.
const maxEvents = 10_000

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
		list.Items = append(list.Items, coreEvent(&page.Events[i]))
	}
	if form.table {
		writeJSON(w, http.StatusOK, form.list(list))
		return nil
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// eventQuery parses which events a request selects, and the form in which it accepts them.
// The second value is the sequence number of a continued list's first page.
func (s *Server) eventQuery(r *request) (events.Filter, uint64, eventTable, error) {
	filter, seq, err := eventFilter(r.params(), r.workspace)
	if err != nil {
		return filter, seq, eventTable{}, err
	}
	form, err := eventForm(r)
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

// coreEvent converts an event to core/v1.
func coreEvent(e *events.Event) core.Event {
	out := core.Event{
		TypeMeta: metav1.TypeMeta{Kind: core.KindEvent, APIVersion: core.Version},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s.%016x", e.Job, e.FirstSeq), Namespace: e.Workspace,
			ResourceVersion: strconv.FormatUint(e.Seq, 10), CreationTimestamp: metav1.NewTime(e.First),
		},
		InvolvedObject: core.ObjectReference{
			Kind: v1.KindJob, APIVersion: v1.APIVersion, Namespace: e.Workspace, Name: e.Job, UID: e.UID,
		},
		Reason: e.Reason, Message: e.Message, Type: e.Type, Count: int32(e.Count),
		FirstTimestamp: metav1.NewTime(e.First), LastTimestamp: metav1.NewTime(e.Time), EventTime: metav1.NewMicroTime(e.Time),
		Source: core.EventSource{Component: component}, ReportingComponent: component,
	}
	if e.Attempt != "" {
		out.Annotations = map[string]string{core.AttemptAnnotation: e.Attempt}
	}
	return out
}

// component is the source and the reporting component of every event.
const component = "jobwright"

// eventFilter parses the query. The second value is the sequence number of a continued
// list's first page.
func eventFilter(query url.Values, workspace string) (events.Filter, uint64, error) {
	filter := events.Filter{Workspace: workspace, Limit: maxEvents}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			return filter, 0, apierrors.NewBadRequest("limit must be a number of at least 0, not " + quote(text))
		}
		if limit > 0 {
			filter.Limit = min(limit, maxEvents)
		}
	}
	var seq uint64
	if token := query.Get("continue"); token != "" {
		before, seen, _ := strings.Cut(token, ".")
		var err, seenErr error
		filter.Before, err = strconv.ParseUint(before, 10, 64)
		seq, seenErr = strconv.ParseUint(seen, 10, 64)
		if errors.Join(err, seenErr) != nil || filter.Before == 0 {
			return filter, 0, apierrors.NewBadRequest("continue must be what an earlier list has given, not " + quote(token))
		}
	}
	labelled, err := labels.Parse(query.Get("labelSelector"))
	if err != nil {
		return filter, 0, apierrors.NewBadRequest("labelSelector: " + err.Error())
	}
	selector, err := fields.ParseSelector(query.Get("fieldSelector"))
	if err != nil {
		return filter, 0, apierrors.NewBadRequest("fieldSelector: " + err.Error())
	}
	none := !labelled.Matches(labels.Set{}) // events have no labels
	if none || !selector.Empty() {
		filter.Match = func(e *events.Event) bool { return !none && selector.Matches(eventFields(e)) }
	}
	err = narrow(&filter, selector)
	return filter, seq, err
}

// eventFields are the fields that a selector may name.
func eventFields(e *events.Event) fields.Set {
	return fields.Set{
		"metadata.namespace": e.Workspace, "reason": e.Reason, "type": e.Type, "source": component, "reportingComponent": component,
		"involvedObject.kind": v1.KindJob, "involvedObject.apiVersion": v1.APIVersion, "involvedObject.namespace": e.Workspace,
		"involvedObject.name": e.Job, "involvedObject.uid": string(e.UID), "involvedObject.fieldPath": "",
	}
}

// narrow refuses unknown fields, and moves into the filter those that the event store has
// an index of.
func narrow(filter *events.Filter, selector fields.Selector) error {
	known := eventFields(&events.Event{})
	for _, wanted := range selector.Requirements() {
		if !known.Has(wanted.Field) {
			return apierrors.NewBadRequest("field label not supported: " + wanted.Field)
		}
		if wanted.Operator == selection.NotEquals {
			continue
		}
		switch wanted.Field {
		case "involvedObject.name":
			filter.Job = wanted.Value
		case "involvedObject.uid":
			filter.UID = types.UID(wanted.Value)
		}
	}
	return nil
}
