package eventview

import (
	"mime"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	"jobwright.dev/api/core"
	"jobwright.dev/api/server/public"
)

// Form is the form of an answer: plain events, or the table rows that kubectl
// prints.
type Form struct {
	// Table: the client asks for rows.
	Table   bool
	include metav1.IncludeObjectPolicy
	headed  bool // a stream has had its columns
}

// Negotiate finds the form of the answer.
func Negotiate(accept, include string) (Form, error) {
	form := Form{Table: wantsTable(accept), include: metav1.IncludeMetadata}
	switch include := metav1.IncludeObjectPolicy(include); include {
	case "":
	case metav1.IncludeNone, metav1.IncludeMetadata, metav1.IncludeObject:
		form.include = include
	default:
		return form, apierrors.NewBadRequest("includeObject must be None, Metadata or Object, not " + public.Quote(string(include)))
	}
	return form, nil
}

// wantsTable reports whether the first supported media type in Accept is a meta.k8s.io/v1
// Table. Unsupported types are skipped.
func wantsTable(accept string) bool {
	for form := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(form)
		if err != nil || media != "application/json" && media != "*/*" && media != "application/*" {
			continue
		}
		switch {
		case params["as"] == "":
			return false
		case params["as"] == "Table" && params["v"] == metav1.SchemeGroupVersion.Version && params["g"] == metav1.GroupName:
			return true
		}
	}
	return false
}

// columns are the columns of the Kubernetes API. Clients show those with priority 1
// in wide output only.
func columns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		{Name: "Last Seen", Type: "string", Description: "Time since the event happened last."},
		{Name: "Type", Type: "string", Description: "Normal or Warning."},
		{Name: "Reason", Type: "string", Description: "One word for what happened."},
		{Name: "Object", Type: "string", Description: "What it happened to."},
		{Name: "Source", Type: "string", Priority: 1, Description: "Who reports it."},
		{Name: "Message", Type: "string", Description: "What happened."},
		{Name: "First Seen", Type: "string", Priority: 1, Description: "Time since the first of identical events in a row."},
		{Name: "Count", Type: "integer", Priority: 1, Description: "How many identical events in a row there were."},
		{Name: "Name", Type: "string", Format: "name", Priority: 1, Description: "Name of the event."},
	}
}

// List is the table of a page of events.
func (t *Form) List(list core.EventList) metav1.Table {
	table := metav1.Table{
		TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: metav1.SchemeGroupVersion.String()}, ListMeta: list.ListMeta,
		ColumnDefinitions: columns(), Rows: make([]metav1.TableRow, 0, len(list.Items)),
	}
	now := time.Now()
	for i := range list.Items {
		table.Rows = append(table.Rows, t.row(&list.Items[i], now))
	}
	return table
}

// One is the table of one event of a stream; only the first has the columns.
func (t *Form) One(event core.Event) metav1.Table {
	table := t.List(core.EventList{ListMeta: metav1.ListMeta{ResourceVersion: event.ResourceVersion}, Items: []core.Event{event}})
	if t.headed {
		table.ColumnDefinitions = nil
	}
	t.headed = true
	return table
}

func (t *Form) row(e *core.Event, now time.Time) metav1.TableRow {
	age := func(at metav1.Time) string { return duration.HumanDuration(now.Sub(at.Time)) }
	row := metav1.TableRow{Cells: []any{
		age(e.LastTimestamp), e.Type, e.Reason, strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name,
		e.Source.Component, strings.TrimSpace(e.Message), age(e.FirstTimestamp), int64(e.Count), e.Name,
	}}
	switch t.include {
	case metav1.IncludeMetadata:
		row.Object.Object = &metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: metav1.SchemeGroupVersion.String()},
			ObjectMeta: e.ObjectMeta,
		}
	case metav1.IncludeObject:
		row.Object.Object = &rowObject{e}
	case metav1.IncludeNone:
	}
	return row
}

// rowObject is an event in a table's row, which takes a runtime.Object.
type rowObject struct{ *core.Event }

// DeepCopyObject implements runtime.Object. The copy shares what is never changed.
func (o *rowObject) DeepCopyObject() runtime.Object {
	event := *o.Event
	return &rowObject{&event}
}
