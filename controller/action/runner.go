package action

import (
	"context"
	"time"

	v1 "jobwright.dev/api/v1"
)

// Runner carries out one type of job. It is safe for concurrent use.
type Runner interface {
	// Run carries out one attempt and returns once nothing of the attempt is running.
	// When ctx ends, Run stops the attempt as the package comment shows. The verdict is
	// Stopped unless the action had ended by itself.
	Run(ctx context.Context, a Attempt, out Sink) Outcome

	// Recover ends the processes that an attempt of a dead worker has left, and returns the
	// attempt's outcome: Lost unless the Runner can prove more. The controller calls it
	// before it decides anything else about the job. An error means that processes may be
	// left; the controller then calls Recover again and does not rerun the job.
	Recover(ctx context.Context, a Attempt) (Outcome, error)
}

// MaxLine is the longest line of output in bytes, without its line end. Longer lines are
// split. 64 KiB holds any line that a person reads, and bounds the memory that a stream
// without line ends takes.
const MaxLine = 64 << 10

// Attempt is one try at a job's action.
type Attempt struct {
	// ID is v1.Attempt.ID. No other attempt ever has it.
	ID string
	// Job is as it was when the attempt began. The worker has it too: the Runner changes
	// nothing of it, and keeps it no longer than until it returns.
	Job *v1.Job
	// Grace is the time between the request to stop and the kill.
	Grace time.Duration
}

// Stream is the source of a line of output.
type Stream string

// The streams of output.
const (
	// Stdout and Stderr: lines of a process.
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
	// Server: a log message of an MCP server.
	Server Stream = "server"
	// Content: the action's result as text, e.g. a tool's text or a response body.
	Content Stream = "content"
	// System: a message of Jobwright about the attempt.
	System Stream = "system"
)

// Sink receives the reports of a running attempt. It is safe for concurrent use and never
// blocks for long. Calls after Run has returned have no effect.
type Sink interface {
	// Line adds one line of output, without its line end.
	Line(stream Stream, text string)
	// Progress reports the progress in percent, or -1 when only the step is known. A pct
	// below the last one is ignored. An empty step keeps the last one.
	Progress(pct int, step string)
	// Result reports an intermediate result, e.g. the state of each service of a deploy. It
	// replaces the last one; the Outcome's result replaces it.
	Result(v1.JSON)
}

// Verdict is how an attempt ended.
type Verdict int

const (
	// Failed: the action failed, or could not be started.
	Failed Verdict = iota
	// Succeeded: the action did what was asked.
	Succeeded
	// Stopped: ctx ended, and the action was stopped before it ended by itself.
	Stopped
	// Lost: the attempt's worker died, and the action's outcome is unknown.
	Lost
)

// Outcome is the result of an attempt.
type Outcome struct {
	Verdict Verdict
	// Reason is one of v1's reasons with verdict Failed, and empty otherwise.
	Reason string
	// Message describes the outcome for a person. Empty: the verdict says it all.
	Message string

	// Facts are compared with the rules of the job's failure policy.
	Facts Facts
	// RetryAfter is the wait that the other side asked for; 0: none.
	RetryAfter time.Duration

	// Answered means, with verdict Failed, that the action was carried out and its answer
	// cannot be used. The job is not retried, since a retry would carry the action out twice.
	Answered bool

	// Repeatable means, with verdict Stopped or Lost, that the action may run again without
	// harm: it had not begun, or the action or its protocol declares it idempotent. The job's
	// onInterruption, if set, takes precedence.
	Repeatable bool

	// Result and Artifacts are copied into the job's status.
	Result    *v1.JSON
	Artifacts []v1.Artifact
}

// Fail returns a failed outcome.
func Fail(reason, message string) Outcome {
	return Outcome{Verdict: Failed, Reason: reason, Message: message}
}
