package engine

import (
	"encoding/json"
	"strings"
)

// Event is one line of compose's --progress=json.
type Event struct {
	ID       string `json:"id"`
	ParentID string `json:"parent_id"`
	Status   string `json:"status"` // Working, Done, Warning, Error
	Text     string `json:"text"`
	Details  string `json:"details"`
	Current  int64  `json:"current"`
	Total    int64  `json:"total"`
	Percent  int    `json:"percent"`
	Error    bool   `json:"error"`
	Message  string `json:"message"`
	Level    string `json:"level"`
	Msg      string `json:"msg"`
}

// ParseEvent reads a line of stderr; false: the line is plain text.
func ParseEvent(line string) (Event, bool) {
	var e Event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		return e, false
	}
	return e, e.ID != "" || e.Message != "" || e.Msg != "" || e.Error
}

// String is the event as a line for a person; empty: it says nothing.
func (e Event) String() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Msg != "":
		return e.Msg
	}
	var out []string
	for _, part := range []string{strings.TrimSpace(e.ID), e.Text, e.Details} {
		if part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, "  ")
}

// Failed reports whether the event tells of something that went wrong.
func (e Event) Failed() bool { return e.Error || e.Status == "Error" }

// Stopping reports whether compose is at stopping what the event names.
func (e Event) Stopping() bool {
	return e.Status == "Working" && (e.Text == "Stopping" || e.Text == "Restarting")
}
