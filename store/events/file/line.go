package file

import (
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/events"
)

// maxLine bounds a line: names of 253 bytes and a message whose every byte is escaped
// with six fit several times over.
const maxLine = 16 << 10

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

// appendLine appends the event's line.
func appendLine(buf []byte, e *events.Event) []byte {
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
func parse(line []byte) (events.Event, bool) {
	var e entry
	if len(line) > maxLine || json.Unmarshal(line, &e) != nil {
		return events.Event{}, false
	}
	event := events.Event{
		Time: e.Time, Workspace: e.Workspace, Job: e.Job, UID: e.UID, Attempt: e.Attempt,
		Type: e.Type, Reason: e.Reason, Message: e.Message, First: e.Time, Count: 1,
	}
	valid := e.Workspace != "" && e.Job != "" && e.Reason != "" && !e.Time.IsZero() && (e.Type == events.Normal || e.Type == events.Warning)
	return event, valid
}
