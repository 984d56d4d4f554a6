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

// ExitStatus is an error that sets the exit code and prints nothing.
type ExitStatus int

func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// UsageError is an error in the command line.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

func (e UsageError) Unwrap() error { return e.Err }

// Usagef returns a UsageError with a formatted message.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// ExitOf returns the exit code for a job's phase.
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
