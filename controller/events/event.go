package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"
)

// Types of events.
const (
	// Normal is what happens to a job that goes its way.
	Normal = "Normal"
	// Warning is what a person may want to look into.
	Warning = "Warning"
)

// MaxMessage is the most bytes of a message that are kept, as in the Kubernetes API;
// a longer one is cut off with an ellipsis. The job's log and status have the rest.
const MaxMessage = 1024

// maxLine bounds a line: names of 253 bytes and a message whose every byte is escaped
// with six fit several times over.
const maxLine = 16 << 10

// ErrInvalid is returned for an event that lacks a workspace, job or reason, or has
// another type than Normal and Warning.
var ErrInvalid = errors.New("not a valid event")

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

// Recorder takes events. A Recorder deals with its errors itself: an event is never a
// reason for a transition to fail.
type Recorder interface {
	Record(event Event)
}

// entry is an event as it stands in a line.
type entry struct {
	Time      time.Time `json:"time"`
	Workspace string    `json:"workspace"`
	Job       string    `json:"job"`
	UID       types.UID `json:"uid"`
	Attempt   string    `json:"attempt"`
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
}

const timeFormat = "2006-01-02T15:04:05.000000Z"

// complete fills in defaults and refuses what would not be read again.
func (e *Event) complete(now func() time.Time) error {
	if e.Workspace == "" || e.Job == "" || e.Reason == "" {
		return fmt.Errorf("event %q of job %q in workspace %q: %w: workspace, job and reason are required", e.Reason, e.Job, e.Workspace, ErrInvalid)
	}
	if e.Time.IsZero() {
		e.Time = now()
	}
	switch e.Type {
	case "":
		e.Type = Normal
	case Normal, Warning:
	default:
		return fmt.Errorf("event %s of job %s/%s: %w: type %q", e.Reason, e.Workspace, e.Job, ErrInvalid, e.Type)
	}
	if year := e.Time.Year(); year < 0 || year > 9999 {
		return fmt.Errorf("event %s of job %s/%s: %w: year %d", e.Reason, e.Workspace, e.Job, ErrInvalid, year)
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

// appendLine appends the event's line.
func appendLine(buf []byte, e *Event) []byte {
	buf = append(buf, `{"time":"`...)
	buf = e.Time.UTC().AppendFormat(buf, timeFormat)
	buf = append(buf, `","workspace":`...)
	buf = appendString(buf, e.Workspace)
	buf = append(buf, `,"job":`...)
	buf = appendString(buf, e.Job)
	buf = append(buf, `,"uid":`...)
	buf = appendString(buf, string(e.UID))
	if e.Attempt != "" {
		buf = append(buf, `,"attempt":`...)
		buf = appendString(buf, e.Attempt)
	}
	buf = append(buf, `,"type":`...)
	buf = appendString(buf, e.Type)
	buf = append(buf, `,"reason":`...)
	buf = appendString(buf, e.Reason)
	if e.Message != "" {
		buf = append(buf, `,"message":`...)
		buf = appendString(buf, e.Message)
	}
	return append(buf, "}\n"...)
}

// appendString appends s in JSON; what needs no escapes is copied.
func appendString(buf []byte, s string) []byte {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		quoted, _ := json.Marshal(s) // a string always encodes
		return append(buf, quoted...)
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}

// parse reads a line, without its end.
func parse(line []byte) (Event, bool) {
	var e entry
	if len(line) > maxLine || json.Unmarshal(line, &e) != nil {
		return Event{}, false
	}
	event := Event{
		Time: e.Time, Workspace: e.Workspace, Job: e.Job, UID: e.UID, Attempt: e.Attempt,
		Type: e.Type, Reason: e.Reason, Message: e.Message, First: e.Time, Count: 1,
	}
	valid := e.Workspace != "" && e.Job != "" && e.Reason != "" && !e.Time.IsZero() && (e.Type == Normal || e.Type == Warning)
	return event, valid
}

// repeats reports whether two events of one job say the same.
func (e *Event) repeats(other *Event) bool {
	return e.Type == other.Type && e.Reason == other.Reason && e.Message == other.Message
}
