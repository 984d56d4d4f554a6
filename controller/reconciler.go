package controller

import (
	"context"
	"errors"
	"time"
)

// Reconciler brings one item at a time to what its object asks for. It is level-triggered:
// it reads what is, decides from that alone, and may be called at any time, any number of
// times. One item is reconciled by one worker at a time.
type Reconciler[T Item] interface {
	// Reconcile reconciles the item. An error is logged, and the item tried again with
	// back-off, unless it is a TerminalError. A conflict is no error: the item is added
	// again.
	Reconcile(ctx context.Context, item T) (Result, error)
}

// Result is the result of a reconcile without an error.
type Result struct {
	// After is how long from now the item is due again without any event; 0: never.
	After time.Duration
}

// TerminalError wraps an error that trying again does not mend, e.g. an object that cannot
// be decoded: it is logged once, and the item waits for the next change of its object.
func TerminalError(err error) error { return &terminalError{err} }

// isTerminal reports whether err is a TerminalError.
func isTerminal(err error) bool {
	var terminal *terminalError
	return errors.As(err, &terminal)
}

type terminalError struct{ err error }

func (e *terminalError) Error() string { return e.err.Error() }
func (e *terminalError) Unwrap() error { return e.err }
