package schedule

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

// Item is one job as the schedule sees it.
type Item struct {
	UID       types.UID
	Workspace string
	Type      v1.JobType
	Priority  int32
	// Since is since when the job waits; it decides among equals, and ages.
	Since time.Time
	// Key is the concurrency key, such that equal ones share a limit, also across
	// workspaces; empty: none. At most Limit jobs with Key are live when this one
	// starts, itself included.
	Key   string
	Limit int
	// InOrder: the jobs with Key start in the order of Since, whatever their priority.
	InOrder bool
	// Rate is the zero Rate where there is no limit.
	Rate Rate
	// NotBefore is the earliest start; zero: at once.
	NotBefore time.Time
	// HoldsPlace: with InOrder, those behind this job wait for NotBefore as well.
	HoldsPlace bool
}

// Rate allows Limit starts with Key in any window of Per.
type Rate struct {
	Key   string
	Limit int
	Per   time.Duration
}

// Workspace is what a workspace is allowed. The zero Workspace has weight 1 and no
// limits.
type Workspace struct {
	Weight         int
	MaxRunning     *int // nil: no limit
	Suspended      bool
	SuspendedTypes []v1.JobType
}

// queued is an item in the queue.
type queued struct {
	Item
	rank  time.Time // Since − priority·Ageing
	group *group    // nil: waits for NotBefore outside of its group
	at    int       // place in the group's heap
	wake  *wake
}

// before orders the jobs of one group, and the groups of one workspace by their heads.
func (a *queued) before(b *queued) bool {
	x, y := a.rank, b.rank
	if a.InOrder && b.InOrder && a.Key == b.Key {
		x, y = a.Since, b.Since
	}
	if !x.Equal(y) {
		return x.Before(y)
	}
	return a.UID < b.UID
}

// live is an item that holds a slot, here or elsewhere.
type live struct {
	Item
	started   time.Time
	charged   time.Duration
	elsewhere bool
}
