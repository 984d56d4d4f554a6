package job

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store/logs"
)

// Why an attempt's context ends.
var (
	errStopped  = errors.New("the job was asked to stop")
	errShutdown = errors.New("the server shuts down")
	errDeleted  = errors.New("the job was deleted")
	errFenced   = errors.New("the attempt does not hold the job any more")
)

// run is one attempt in this worker. Its fields are guarded by Controller.mu, but for
// quietSince.
type run struct {
	id      string
	jobType v1.JobType
	cancel  context.CancelCauseFunc
	started time.Time
	stop    *lifecycle.StopRequest // why it was asked to stop; nil: it was not
	outcome *action.Outcome        // set once, when the attempt has ended
	// spooled: the outcome is on this machine's disk, since the store did not take it;
	// spooledStatus: with the status that may have been written.
	spooled, spooledStatus bool
	pending                *lifecycle.Report // progress that is yet to be written
	flushing               *time.Timer
	flushed                time.Time
	born                   time.Time // when this worker began with it
	// quietSince is the last output or progress, counted from born on: on the clock of the
	// process, which nobody sets.
	quietSince atomic.Int64
	yielded    bool // it holds no slot until it resumes
}

// active is when there was output or progress last.
func (r *run) active() time.Time { return r.born.Add(time.Duration(r.quietSince.Load())) }

// touch notes output or progress.
func (r *run) touch(now time.Time) { r.quietSince.Store(int64(now.Sub(r.born))) }

// take returns the progress that is yet to be written.
func (r *run) take() *lifecycle.Report {
	p := r.pending
	r.pending = nil
	if p != nil {
		r.flushed = time.Now()
	}
	return p
}

// putBack adds progress that could not be written to what has come since.
func (r *run) putBack(p *lifecycle.Report) {
	later := r.pending
	r.pending = p
	if later == nil {
		return
	}
	p.Pct = max(p.Pct, later.Pct)
	if later.Step != "" {
		p.Step = later.Step
	}
	if later.Result != nil {
		p.Result = later.Result
	}
}

// start runs the attempt that is written in the status of own, which is for the attempt
// alone. The caller holds mu.
func (c *Controller) start(ctx context.Context, e *entry, own *v1.Job) {
	now := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	r := &run{id: own.Status.CurrentAttempt.ID, jobType: own.Spec.Type, cancel: cancel, started: now, born: now, flushed: now}
	e.run = r
	attempt := action.Attempt{ID: r.id, Job: own, Grace: c.CancelGrace}
	go func() {
		defer cancel(nil)
		sink := c.sink(e, r, attempt.Job)
		sink.Line(action.System, "attempt "+strconv.Itoa(int(attempt.Job.Status.Attempts))+" started")
		outcome := c.carryOut(ctx, attempt, sink)
		sink.end(outcome)
		c.ended(e, r, outcome)
	}()
}

// carryOut runs the action; a panic in it is the attempt's failure, not the
// server's end.
func (c *Controller) carryOut(ctx context.Context, a action.Attempt, sink *sink) (outcome action.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error(fmt.Errorf("panic: %v", p), "an action panicked", "job", a.Job.Namespace+"/"+a.Job.Name,
				"attempt", a.ID, "stack", string(debug.Stack()))
			outcome = action.Fail(v1.ReasonInternalError, fmt.Sprintf("The action panicked: %v. The server's log has the stack.", p))
		}
	}()
	runner, ok := c.Runners[a.Job.Spec.Type]
	if !ok {
		return action.Fail(v1.ReasonInvalidArguments, fmt.Sprintf("This server runs no jobs of type %q.", a.Job.Spec.Type))
	}
	return runner.Run(ctx, a, sink)
}

// recover finds out what became of an attempt that a dead worker left. The caller
// holds mu.
func (c *Controller) recover(ctx context.Context, e *entry, own *v1.Job) {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &run{id: own.Status.CurrentAttempt.ID, jobType: own.Spec.Type, cancel: untilShutdown(cancel), started: own.Status.CurrentAttempt.StartTime.Time, born: time.Now()}
	if _, kept := c.keptOutcome(r.id); kept {
		r.spooled, r.spooledStatus = true, true
	}
	e.run = r
	attempt := action.Attempt{ID: r.id, Job: own, Grace: c.CancelGrace}
	go func() {
		defer cancel(nil)
		sink := c.sink(e, r, attempt.Job)
		outcome, kept := c.keptOutcome(r.id)
		if kept {
			sink.Line(action.System, "the server ended before it could write what the attempt had come to; it is written now")
		} else {
			var sure bool
			if outcome, sure = c.recoverUntilSure(ctx, attempt); !sure {
				c.leave(e)
				return
			}
			sink.Line(action.System, "the server ended while the attempt was running; nothing of it is left")
		}
		sink.end(outcome)
		c.ended(e, r, outcome)
	}()
}

// recoveries is how long to wait until the Runner is asked again.
var recoveries = controller.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}

// untilShutdown lets nothing but the end of the server stop a recovery: what a dead worker
// has left is to be ended whatever becomes of the job.
func untilShutdown(cancel context.CancelCauseFunc) context.CancelCauseFunc {
	return func(cause error) {
		if errors.Is(cause, errShutdown) {
			cancel(cause)
		}
	}
}

// leave gives up a recovery that could not make sure that nothing is left: the attempt
// stays in the store for the next start.
func (c *Controller) leave(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(e)
}

// recoverUntilSure asks the Runner until it can tell that nothing of the attempt is
// left, or until ctx ends; false: it could not.
func (c *Controller) recoverUntilSure(ctx context.Context, a action.Attempt) (outcome action.Outcome, sure bool) {
	runner, ok := c.Runners[a.Job.Spec.Type]
	if !ok {
		return action.Outcome{Verdict: action.Lost}, true
	}
	for tries := 1; ; tries++ {
		outcome, err := runner.Recover(ctx, a)
		if err == nil {
			return outcome, true
		}
		wait := recoveries.After(tries)
		c.Log.Error(err, "recover; trying again", "job", a.Job.Namespace+"/"+a.Job.Name, "attempt", a.ID, "in", wait.String())
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return action.Outcome{}, false
		}
	}
}

// ended observes an attempt's outcome.
func (c *Controller) ended(e *entry, r *run, outcome action.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.flushing != nil {
		r.flushing.Stop()
	}
	r.outcome = &outcome
	c.yieldEnds(r)
	c.queue.AddFirst(e)
	c.announce()
}

// sink archives what one attempt prints and coalesces what it reports.
type sink struct {
	c   *Controller
	e   *entry
	run *run
	job *v1.Job

	// Jobwright's own lines are held back until there is output or the attempt has
	// ended with more to say than that it succeeded: an action without output keeps no
	// log, which would cost more than all the rest of a short job.
	mu     sync.Mutex
	writer logs.Writer // nil until something is released
	held   []heldLine
	said   bool
}

type heldLine struct {
	at   time.Time
	text string
}

func (c *Controller) sink(e *entry, r *run, job *v1.Job) *sink {
	return &sink{c: c, e: e, run: r, job: job}
}

// Line implements action.Sink.
func (s *sink) Line(stream action.Stream, text string) {
	now := time.Now()
	s.log(now, stream, text)
	s.run.touch(now)
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

// release begins the log with what was held back. The caller holds s.mu.
func (s *sink) release() {
	if s.said {
		return
	}
	s.said = true
	writer, err := s.c.Logs.Writer(logs.Ref{Workspace: s.job.Namespace, Job: s.job.Name, UID: s.job.UID})
	if err != nil {
		s.c.Log.Error(err, "no log for the job", "job", s.name())
		return
	}
	s.writer = writer
	for _, line := range s.held {
		s.writer.Line(line.at, logs.System, line.text)
	}
	s.held = nil
}

func (s *sink) name() string { return s.job.Namespace + "/" + s.job.Name }

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
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	r := s.run
	if r.outcome != nil {
		return
	}
	r.touch(time.Now())
	if r.pending == nil {
		r.pending = &lifecycle.Report{Attempt: r.id, Pct: -1}
	}
	add(r.pending)
	wait := s.c.ProgressInterval - time.Since(r.flushed)
	if r.flushing == nil {
		r.flushing = time.AfterFunc(max(wait, 0), s.flush)
	}
}

func (s *sink) flush() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.run.flushing = nil
	s.c.queue.Add(s.e)
}

// end closes the log with the outcome.
func (s *sink) end(o action.Outcome) {
	s.log(time.Now(), action.System, "attempt ended: "+describe(o))
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Verdict != action.Succeeded || o.Message != "" {
		s.release()
	}
	if s.writer == nil {
		return
	}
	if err := s.writer.Close(time.Now()); err != nil {
		s.c.Log.Error(err, "output was lost", "job", s.name(), "attempt", s.run.id)
	}
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
