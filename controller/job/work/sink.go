package work

import (
	"context"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store/logs"
)

// sink archives what one attempt prints and coalesces what it reports.
type sink struct {
	w *Worker
	x *execution

	// Jobwright's own lines are held back until there is output, the attempt goes on for
	// longer than heldFor, or it has ended with more to say than that it succeeded: a short
	// action without output keeps no log, which would cost more than all the rest of it.
	mu     sync.Mutex
	begun  int32       // the number of an attempt of which the first line says that it started; 0: none says so
	writer logs.Writer // nil until something is released
	held   []heldLine
	said   bool // nothing is held back any more
}

type heldLine struct {
	at   time.Time
	text string
}

// Line implements action.Sink.
func (s *sink) Line(stream action.Stream, text string) {
	now := time.Now()
	s.log(now, stream, text)
	s.x.touch(now)
}

func (s *sink) log(now time.Time, stream action.Stream, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream == action.System && !s.said {
		s.held = append(s.held, heldLine{now, text})
		return
	}
	if s.release(); s.writer != nil {
		s.writer.Line(now, logs.Stream(stream), text)
	}
}

// speak writes what is held back of an attempt that goes on.
func (s *sink) speak() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
}

// release begins the log with what was held back. The caller holds s.mu.
func (s *sink) release() {
	if s.said {
		return
	}
	s.said = true
	writer, err := s.w.Logs.Writer(logs.Ref{Workspace: s.x.key.Namespace, Job: s.x.key.Name, UID: types.UID(s.x.uid.String())})
	if err != nil {
		s.w.Log.Error(err, "no log for the job", "job", s.name())
		return
	}
	s.writer = writer
	if s.begun > 0 {
		s.writer.Line(s.x.born, logs.System, "attempt "+strconv.Itoa(int(s.begun))+" started")
	}
	for _, line := range s.held {
		s.writer.Line(line.at, logs.System, line.text)
	}
	s.held = nil
}

func (s *sink) name() string { return s.x.key.Namespace + "/" + s.x.key.Name }

// Progress implements action.Sink. The first report is written at once, those that
// follow at most every ProgressInterval.
func (s *sink) Progress(pct int, step string) {
	s.report(func(r *lifecycle.Report) {
		r.Pct = max(r.Pct, pct)
		if step != "" {
			r.Step = step
		}
	})
}

// Result implements action.Sink.
func (s *sink) Result(result v1.JSON) {
	s.report(func(r *lifecycle.Report) { r.Result = &result })
}

func (s *sink) report(add func(*lifecycle.Report)) {
	x := s.x
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outcome != nil {
		return
	}
	x.touch(time.Now())
	if x.pending == nil {
		x.pending = &lifecycle.Report{Attempt: x.id, Pct: -1}
	}
	add(x.pending)
	if x.flushing == nil {
		wait := s.w.ProgressInterval - time.Since(x.flushed)
		x.flushing = time.AfterFunc(max(wait, 0), s.flush)
	}
}

func (s *sink) flush() {
	s.x.mu.Lock()
	s.x.flushing = nil
	s.x.mu.Unlock()
	s.w.queue.Add(s.x)
}

// Yield implements action.Yielder.
func (s *sink) Yield() (resume func(context.Context) error) {
	if s.x.ended() != nil {
		return func(context.Context) error { return nil }
	}
	return s.w.dispatcher.Yield(s.x.uid)
}

// end closes the log with the outcome.
func (s *sink) end(o action.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Verdict == action.Succeeded && o.Message == "" && !s.said {
		s.said, s.held = true, nil // the alarm may come yet
		return
	}
	if s.release(); s.writer == nil {
		return
	}
	s.writer.Line(time.Now(), logs.System, "attempt ended: "+describe(o))
	if err := s.writer.Close(time.Now()); err != nil {
		s.w.Log.Error(err, "output was lost", "job", s.name(), "attempt", s.x.id)
	}
	s.writer = nil // what comes later is dropped
}

func describe(o action.Outcome) string {
	var verdict string
	switch o.Verdict {
	case action.Succeeded:
		verdict = "succeeded"
	case action.Failed:
		verdict = "failed (" + o.Reason + ")"
	case action.Stopped:
		verdict = "stopped"
	case action.Lost:
		verdict = "interrupted"
	}
	if o.Message == "" {
		return verdict
	}
	return verdict + ": " + o.Message
}
