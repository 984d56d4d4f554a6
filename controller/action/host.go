package action

import (
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// Host is what a server gives an action that is registered with it.
type Host struct {
	// Worker is the identity of the worker, which the action's processes carry.
	Worker string
	// StateDir is a folder for this action alone, which survives a restart. It may be
	// missing until the action makes it.
	StateDir string
	Metrics  prometheus.Registerer
	Log      logr.Logger
}

// Maker makes an action for a host, once at the start of a server.
type Maker struct {
	// Name is the type of the jobs.
	Name string
	// New returns the action.
	New func(Host) (Type, error)
}
