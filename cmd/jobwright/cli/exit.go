package cli

import (
	"fmt"

	v1 "jobwright.dev/api/v1"
)

// Exit codes.
const (
	ExitOK       = 0
	ExitError    = 1
	ExitUsage    = 2
	ExitFailed   = 3
	ExitCanceled = 4
	ExitTimeout  = 5
)

// ExitStatus is an error that only sets the exit code; its message was printed before.
type ExitStatus int

func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

func (e UsageError) Unwrap() error { return e.Err }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// ExitOf is the exit code for a job's phase.
func ExitOf(phase v1.JobPhase) int {
	switch phase {
	case v1.JobSucceeded:
		return ExitOK
	case v1.JobFailed:
		return ExitFailed
	case v1.JobCanceled:
		return ExitCanceled
	case v1.JobQueued, v1.JobRunning:
	}
	return ExitError
}
