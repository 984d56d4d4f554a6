package action

import (
	"context"
	"time"

	v1 "jobwright.dev/api/v1"
)

// Runner carries out one type of job. It is safe for concurrent use.
type Runner interface {
	// Run carries out one attempt and blocks until nothing of it is left running.
	// When ctx ends it stops the attempt as the package comment shows. It returns
	// the outcome the action came to by itself, or Stopped when it came to none.
	Run(ctx context.Context, a Attempt, out Sink) Outcome

	// Recover is called for an attempt that a dead worker left behind, before
	// anything else is decided about its job. It ends whatever of the attempt is
	// still running, and returns what became of it: Lost unless the Runner can
	// prove more. It returns an error when it cannot make sure that nothing is
	// left; the controller tries again later and does not re-run the job.
	Recover(ctx context.Context, a Attempt) (Outcome, error)
}

// MaxLine is the longest line of output in bytes, without its line end; longer
// ones are split. 64 KiB holds any line a person reads and keeps a stream without
// line ends from growing the memory.
const MaxLine = 64 << 10

// Attempt is one try at a job's action.
type Attempt struct {
	// ID identifies the attempt for ever: v1.Attempt.ID.
	ID string
	// Job is as it was when the attempt began. The worker has it too: the Runner changes
	// nothing of it, and keeps it no longer than until it returns.
	Job *v1.Job
	// Grace is how long the action may take to stop after it was asked to.
	Grace time.Duration
}

// Stream is where a line of output came from.
type Stream string

// The streams of output.
const (
	// Stdout and Stderr: lines of a process.
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
	// Server: a log message of an MCP server.
	Server Stream = "server"
	// Content: what the action returned, e.g. a tool's text or a response body.
	Content Stream = "content"
	// System: Jobwright's own words about the attempt.
	System Stream = "system"
)

// Sink takes what an attempt reports while it runs. It is safe for concurrent use
// and never blocks for long; calls after Run has returned are dropped.
type Sink interface {
	// Line adds one line of output, without its line end.
	Line(stream Stream, text string)
	// Progress reports how far the attempt is: pct from 0 to 100, or -1 when only
	// the step is known. A lower pct than before is ignored. An empty step keeps
	// the one before.
	Progress(pct int, step string)
	// Result reports the result as far as it is known, e.g. the state of each service
	// of a deploy. It replaces what was reported before, and the Outcome's replaces it.
	Result(v1.JSON)
}

// Verdict is how an attempt ended.
type Verdict int

const (
	// Failed: the action failed, or could not be started.
	Failed Verdict = iota
	// Succeeded: the action did what was asked.
	Succeeded
	// Stopped: ctx ended and the action was stopped before it came to an outcome.
	Stopped
	// Lost: the attempt's worker died and nothing tells what the action came to.
	Lost
)

// Outcome is what an attempt came to.
type Outcome struct {
	Verdict Verdict
	// Reason is one of v1's reasons, with verdict Failed; otherwise empty.
	Reason string
	// Message says what happened, for a person; empty where there is nothing to
	// add to the verdict.
	Message string

	// Facts are what the job's failure policy may go by, of those that the Type reports.
	Facts Facts
	// RetryAfter is how long the other side asked to wait; 0: it did not.
	RetryAfter time.Duration

	// Answered tells, with verdict Failed, that the action was carried out and that the
	// answer cannot be used. Another attempt would carry it out twice, so there is none.
	Answered bool

	// Repeatable tells, with verdict Stopped or Lost, that running the action again
	// does no harm: nothing of it had begun, or it is idempotent by its own word or
	// its protocol's. The job's onInterruption, when set, decides instead.
	Repeatable bool

	// Result and Artifacts go into the job's status.
	Result    *v1.JSON
	Artifacts []v1.Artifact
}

// Fail is a failed outcome.
func Fail(reason, message string) Outcome {
	return Outcome{Verdict: Failed, Reason: reason, Message: message}
}
