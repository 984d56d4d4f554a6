package eventview

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/events"
)

// maxEvents bounds the events of one answer, whatever its limit is: about ten megabytes
// with the longest messages. Clients page through the rest with continue.
const maxEvents = 10_000

// Filter parses the query of a request for a workspace (empty: for all). The second value is
// the sequence number of a continued list's first page.
func Filter(query url.Values, workspace string) (events.Filter, uint64, error) {
	filter := events.Filter{Workspace: workspace, Limit: maxEvents}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			return filter, 0, apierrors.NewBadRequest("limit must be a number of at least 0, not " + public.Quote(text))
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
			return filter, 0, apierrors.NewBadRequest("continue must be what an earlier list has given, not " + public.Quote(token))
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
		filter.Match = func(e *events.Event) bool { return !none && selector.Matches(fieldsOf(e)) }
	}
	err = narrow(&filter, selector)
	return filter, seq, err
}

// fieldsOf are the fields that a selector may name.
func fieldsOf(e *events.Event) fields.Set {
	return fields.Set{
		"metadata.namespace": e.Workspace, "reason": e.Reason, "type": e.Type, "source": component, "reportingComponent": component,
		"involvedObject.kind": v1.KindJob, "involvedObject.apiVersion": v1.APIVersion, "involvedObject.namespace": e.Workspace,
		"involvedObject.name": e.Job, "involvedObject.uid": string(e.UID), "involvedObject.fieldPath": "",
	}
}

// narrow refuses unknown fields, and moves into the filter those that the event store has
// an index of.
func narrow(filter *events.Filter, selector fields.Selector) error {
	known := fieldsOf(&events.Event{})
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
