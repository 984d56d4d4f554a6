package events

import "k8s.io/apimachinery/pkg/types"

// Filter selects events; an empty field selects all.
type Filter struct {
	Workspace string
	Job       string
	UID       types.UID
	Type      string
	Reason    string
	// Match is asked about what the other fields have selected; nil: all of it.
	Match func(*Event) bool
	// Limit is the most events that List returns, repeated ones counted once; 0: all.
	Limit int
	// Before selects events with lower numbers: what Page.Before was; 0: all.
	Before uint64
}

// Selects reports whether f's fields, Limit and Before apart, select e.
func (f *Filter) Selects(e *Event) bool {
	return (f.Workspace == "" || e.Workspace == f.Workspace) && (f.Job == "" || e.Job == f.Job) && (f.UID == "" || e.UID == f.UID) &&
		(f.Type == "" || e.Type == f.Type) && (f.Reason == "" || e.Reason == f.Reason) && (f.Match == nil || f.Match(e))
}

// Page is the result of List.
type Page struct {
	// Events are the newest first.
	Events []Event
	// Seq is the number up to which the page knows everything: where Follow goes on.
	Seq uint64
	// Before continues the list in a next Filter; 0: this was all.
	Before uint64
}
