package actiontest

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// sink checks the reports of a Runner. It fails the test at its end, since a report may come
// after the last statement of the test.
type sink struct {
	mu    sync.Mutex
	ended bool
	wrong []string
	seen  func(text string)
}

func newSink(t *testing.T) *sink {
	s := &sink{}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, w := range s.wrong {
			t.Error(w)
		}
	})
	return s
}

// Line implements action.Sink.
func (s *sink) Line(stream action.Stream, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(text) > action.MaxLine:
		s.wrong = append(s.wrong, "a line is longer than action.MaxLine")
	case strings.Contains(text, "\n"):
		s.wrong = append(s.wrong, "several lines in one: "+text)
	case !utf8.ValidString(text):
		s.wrong = append(s.wrong, "a line is no valid UTF-8: "+text)
	}
	s.take(string(stream) + ": " + text)
}

// Progress implements action.Sink.
func (s *sink) Progress(pct int, step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pct < -1 || pct > 100 {
		s.wrong = append(s.wrong, "progress is not between -1 and 100 at step "+step)
	}
	s.take(step)
}

// Result implements action.Sink.
func (s *sink) Result(result v1.JSON) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !json.Valid(result.Raw) {
		s.wrong = append(s.wrong, "a result is no JSON: "+string(result.Raw))
	}
	s.take("result " + string(result.Raw))
}

func (s *sink) take(text string) {
	if s.ended {
		s.wrong = append(s.wrong, "reported after Run had returned: "+text)
	}
	if s.seen != nil {
		s.seen(text)
	}
}

func (s *sink) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}
