package compose

import (
	"encoding/json"
	"strings"
)

// event is one line of compose's --progress=json.
type event struct {
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

// parseEvent reads a line of stderr; false: it is no progress but plain text.
func parseEvent(line string) (event, bool) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		return e, false
	}
	return e, e.ID != "" || e.Message != "" || e.Msg != ""
}

// text is the event as a line for a person.
func (e event) text() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Msg != "":
		return e.Msg
	}
	parts := []string{strings.TrimSpace(e.ID), e.Text, e.Details}
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, "  ")
}

// tracker adds events up to a progress.
type tracker struct {
	verb string
	done map[string]bool // by what compose names; true when it is done
	last map[string]string
}

func newTracker(verb string) *tracker {
	return &tracker{verb: verb, done: map[string]bool{}, last: map[string]string{}}
}

// add takes in an event and returns the progress after it, and whether a person has
// not been told this yet (byte counts of a pull repeat by the hundred).
func (t *tracker) add(e event) (pct int, step string, news bool) {
	if e.ID == "" {
		return -1, "", true
	}
	if e.ParentID == "" { // layers of an image count with their image
		t.done[e.ID] = e.Status == "Done"
	}
	done := 0
	for _, ok := range t.done {
		if ok {
			done++
		}
	}
	news = t.last[e.ID] != e.Text+e.Details
	t.last[e.ID] = e.Text + e.Details
	if e.ParentID != "" {
		news = false
	}
	// At most 95 %: the wait for health and the end come after the last event.
	return done * 95 / max(len(t.done), 1), "compose:" + t.verb + " " + strings.TrimSpace(e.ID), news
}
