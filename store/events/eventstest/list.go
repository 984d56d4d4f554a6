package eventstest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

func testText(t *testing.T, engine Engine) {
	long := strings.Repeat("ä", events.MaxMessage)
	for name, tc := range map[string]struct{ message, want string }{
		"plain text":                  {"exit code 1", "exit code 1"},
		"no text":                     {"", ""},
		"quotes and backslashes":      {`say "no" \ never`, `say "no" \ never`},
		"line ends stay in one event": {"one\ntwo\r\n", "one\ntwo\r\n"},
		"unicode and control":         {"✓ done\x00\u2028", "✓ done\x00\u2028"},
		"markup":                      {"<b>&", "<b>&"},
		"invalid UTF-8 is replaced":   {"a\xffb", "a\uFFFDb"},
		"a long text is cut off":      {long, long[:events.MaxMessage-4] + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := engine.Open(t, dir, 0)
			e := event("build", "Failed", 0)
			e.Message, e.Attempt, e.Type = tc.message, "a1", events.Warning
			appendAll(t, s, e)
			want := e
			want.Message, want.Count, want.First = tc.want, 1, e.Time
			for range 2 { // as written, and read by the next server
				got := list(t, s, events.Filter{})
				if want.Seq == 0 {
					want.Seq, want.FirstSeq = got.Seq, got.Seq
				}
				if diff := cmp.Diff([]events.Event{want}, got.Events); diff != "" || got.Seq == 0 || got.Seq != want.Seq || got.Before != 0 {
					t.Errorf("%d, %d: %s", got.Seq, got.Before, diff)
				}
				if !utf8.ValidString(got.Events[0].Message) || len(got.Events[0].Message) > events.MaxMessage {
					t.Errorf("message of %d bytes", len(got.Events[0].Message))
				}
				closeStore(t, s)
				s = open(t, engine, dir, 0)
			}
		})
	}
}

func testList(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 4)
	other := event("a", "Queued", 0)
	other.Workspace, other.UID = "other", "uid-other"
	reborn := event("a", "Queued", 9)
	reborn.UID = "uid-a-again"
	failed := event("b", "Failed", 5)
	failed.Type = events.Warning
	appendAll(t, s,
		other, event("a", "Queued", 1), event("b", "Queued", 2), event("b", "Queued", 3), event("a", "Started", 4), failed,
		event("a", "Completed", 6), reborn,
		event("c", "Retrying", 10), event("c", "Started", 11), event("c", "Retrying", 12), event("c", "Retrying", 13), event("c", "Retrying", 14))
	all := list(t, s, events.Filter{})
	for name, tc := range map[string]struct {
		filter events.Filter
		want   []string
	}{
		"everything, newest first, repeats in one": {events.Filter{}, []string{
			"c/Retrying×3", "c/Started", "a/Queued", "a/Completed", "b/Failed", "a/Started", "b/Queued×2", "a/Queued", "a/Queued",
		}},
		"one workspace":                  {events.Filter{Workspace: "other"}, []string{"a/Queued"}},
		"one workspace that has none":    {events.Filter{Workspace: "none"}, nil},
		"one name, whichever job had it": {events.Filter{Workspace: "acme", Job: "a"}, []string{"a/Queued", "a/Completed", "a/Started", "a/Queued"}},
		"one job":                        {events.Filter{UID: "uid-a"}, []string{"a/Completed", "a/Started", "a/Queued"}},
		"a name and another job's uid":   {events.Filter{Job: "b", UID: "uid-a"}, nil},
		"one type":                       {events.Filter{Type: events.Warning}, []string{"b/Failed"}},
		"one reason":                     {events.Filter{Reason: "Started"}, []string{"c/Started", "a/Started"}},
		"whatever a function says":       {events.Filter{Match: func(e *events.Event) bool { return e.Job == "b" }}, []string{"b/Failed", "b/Queued×2"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := list(t, s, tc.filter)
			if diff := cmp.Diff(tc.want, words(page.Events)); diff != "" {
				t.Error(diff)
			}
			if page.Before != 0 || page.Seq != all.Seq {
				t.Errorf("Before %d, Seq %d; want 0, %d", page.Before, page.Seq, all.Seq)
			}
		})
	}
	repeated := list(t, s, events.Filter{Job: "c", Limit: 1}).Events[0]
	if repeated.Count != 3 || !repeated.First.Equal(now.Add(12*time.Second)) || !repeated.Time.Equal(now.Add(14*time.Second)) || repeated.FirstSeq >= repeated.Seq || repeated.Seq != all.Seq {
		t.Errorf("repeated: %+v", repeated)
	}
}

// testPages puts a list together from its pages, however long they are.
func testPages(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 3)
	for i := range 40 {
		e := event([]string{"a", "b", "c", "d"}[i%7%4], "Retrying", i)
		e.Message = fmt.Sprint(i) // what repeats is counted within a page
		appendAll(t, s, e)
	}
	want := list(t, s, events.Filter{})
	if len(want.Events) < 4 {
		t.Fatalf("%d events are listed", len(want.Events))
	}
	for limit := 1; limit <= len(want.Events)+1; limit++ {
		var got []events.Event
		filter := events.Filter{Limit: limit}
		for {
			page := list(t, s, filter)
			if len(page.Events) > limit {
				t.Errorf("a page of %d events, the limit is %d", len(page.Events), limit)
			}
			got = append(got, page.Events...)
			if filter.Before = page.Before; filter.Before == 0 {
				break
			}
		}
		if diff := cmp.Diff(want.Events, got); diff != "" {
			t.Fatalf("pages of %d: %s", limit, diff)
		}
	}
	first := want.Events[len(want.Events)-1].FirstSeq
	if page := list(t, s, events.Filter{Before: first}); len(page.Events) > 0 {
		t.Errorf("before the first of all: %v", words(page.Events))
	}
}

func testInvalid(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	for name, change := range map[string]func(*events.Event){
		"no workspace":             func(e *events.Event) { e.Workspace = "" },
		"no job":                   func(e *events.Event) { e.Job = "" },
		"no reason":                func(e *events.Event) { e.Reason = "" },
		"another type":             func(e *events.Event) { e.Type = "Error" },
		"a name beyond all bounds": func(e *events.Event) { e.Job = strings.Repeat("x", 20<<10) },
		"a year beyond all bounds": func(e *events.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			e := event("a", "Queued", 0)
			change(&e)
			if err := s.Append(e); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("Append: %v, want ErrInvalid", err)
			}
			s.Record(e) // does not fail, whatever it is
		})
	}
	if got := list(t, s, events.Filter{}).Events; len(got) > 0 {
		t.Errorf("was kept: %v", words(got))
	}
	closeStore(t, s)
	if err := s.Append(event("a", "Queued", 0)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := s.List(t.Context(), events.Filter{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("List after Close: %v", err)
	}
	closeStore(t, s) // a second time
}
