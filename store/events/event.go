package events

import (
	"fmt"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store"
)

// Types of events.
const (
	// Normal is an event in the regular course of a job.
	Normal = "Normal"
	// Warning is an event that a person may want to look into.
	Warning = "Warning"
)

// MaxMessage is the most bytes of a message that are kept, as in the Kubernetes API;
// a longer one is cut off with an ellipsis. The job's log and status have the rest.
const MaxMessage = 1024

// Event is something that has happened to a job.
type Event struct {
	// Time is when it happened; zero: now. Microseconds are kept. Of repeated events
	// that are read as one it is the last one's.
	Time time.Time
	// Workspace, Job and UID name the job.
	Workspace string
	Job       string
	UID       types.UID
	// Attempt is the attempt's id; empty: the event is about none.
	Attempt string
	// Type is Normal or Warning; empty means Normal.
	Type string
	// Reason is one of v1.Reasons(), Message what a person reads.
	Reason  string
	Message string

	// The rest is set when events are read.

	// Seq is the event's number; First and FirstSeq are time and number of the first of
	// Count identical events in a row.
	Seq      uint64
	First    time.Time
	FirstSeq uint64
	Count    int
}

// Complete is for engines: it fills in defaults, now among them, and cuts the message to
// MaxMessage. store.ErrInvalid: the event lacks a workspace, job or reason, has another
// type than Normal and Warning, or a year beyond four digits.
func (e *Event) Complete(now time.Time) error {
	if e.Workspace == "" || e.Job == "" || e.Reason == "" {
		return fmt.Errorf("event %q of job %q in workspace %q: %w: workspace, job and reason are required", e.Reason, e.Job, e.Workspace, store.ErrInvalid)
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	switch e.Type {
	case "":
		e.Type = Normal
	case Normal, Warning:
	default:
		return fmt.Errorf("event %s of job %s/%s: %w: type %q is neither %s nor %s", e.Reason, e.Workspace, e.Job, store.ErrInvalid, e.Type, Normal, Warning)
	}
	if year := e.Time.Year(); year < 0 || year > 9999 {
		return fmt.Errorf("event %s of job %s/%s: %w: year %d", e.Reason, e.Workspace, e.Job, store.ErrInvalid, year)
	}
	e.Message = cut(e.Message)
	return nil
}

// cut shortens a message to MaxMessage, never inside a character.
func cut(s string) string {
	const ellipsis = "…"
	if len(s) <= MaxMessage {
		return s
	}
	end := MaxMessage - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// Repeats reports whether two events of one job say the same.
func (e *Event) Repeats(other *Event) bool {
	return e.Type == other.Type && e.Reason == other.Reason && e.Message == other.Message
}
