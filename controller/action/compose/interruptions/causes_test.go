package interruptions

import (
	"syscall"
	"time"
)

// cause is what interrupts a deploy.
type cause struct {
	strike func(c *cell)
	// restarts tells that the engine is restarted, so that the cell needs one of its own.
	restarts bool
	// limit tells that the stage's own limit strikes.
	limit bool
	// again tells that the job is carried out once more, and may succeed then.
	again bool
}

// away is how long the engine's socket is gone.
const away = 3 * time.Second

// causes are the columns of the matrix.
var causes = map[string]cause{
	"server killed": {again: true, strike: func(c *cell) {
		c.server.end(syscall.SIGKILL)
		c.release()
		c.server.start()
	}},
	"SIGTERM": {again: true, strike: func(c *cell) {
		c.server.end(syscall.SIGTERM)
		c.release()
		c.server.start()
	}},
	"engine restarted": {restarts: true, strike: func(c *cell) {
		c.gate.cut()
		c.engine.restart(c.release)
		c.gate.restore()
	}},
	"engine's socket cut": {strike: func(c *cell) {
		c.gate.cut()
		c.release()
		<-time.After(away)
		c.gate.restore()
	}},
	"the stage's limit": {limit: true, strike: func(*cell) {}},
	"the job's time":    {strike: func(c *cell) { c.server.patch("second", map[string]any{"activeDeadlineSeconds": 1}) }},
	"cancel":            {strike: func(c *cell) { c.server.patch("second", map[string]any{"cancel": true}) }},
}
