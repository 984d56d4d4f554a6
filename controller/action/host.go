package action

import (
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// Host is the environment that a server gives to a registered action.
type Host struct {
	// Worker is the identity of the worker. The action's processes carry it.
	Worker string
	// StateDir is a folder for this action alone. It survives a restart; the action creates
	// it.
	StateDir string
	Metrics  prometheus.Registerer
	Log      logr.Logger
}

// Maker registers an action with a server. The server calls New once, at its start.
type Maker struct {
	// Name is the type of the action's jobs.
	Name string
	// New returns the action for a host.
	New func(Host) (Type, error)
}
