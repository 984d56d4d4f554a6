package job

import "errors"

// Why no job is started. Both are for people who wonder why theirs waits.
var (
	errNotStarted = errors.New("the worker has not started: it reads the stored jobs first; new ones are accepted and wait for it")
	errDraining   = errors.New("the worker stops: it starts no job any more; what is accepted now runs after the next start")
)

// Health says why the controller starts no job; nil: it does.
func (c *Controller) Health() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.draining:
		return errDraining
	case !c.started:
		return errNotStarted
	}
	return nil
}
