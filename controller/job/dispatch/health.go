package dispatch

import "errors"

// Why no job is started. Both are for people who wonder why theirs waits.
var (
	errNotStarted = errors.New("the worker has not started: it reads the stored jobs first; new ones are accepted and wait for it")
	errDraining   = errors.New("the worker stops: it starts no job any more; what is accepted now runs after the next start")
)

// Health says why the controller starts no job; nil: it does.
func (d *Dispatcher) Health() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.draining:
		return errDraining
	case !d.started:
		return errNotStarted
	}
	return nil
}
