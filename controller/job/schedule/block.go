package schedule

import (
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
)

// Cause is why a job does not start. The set is closed.
type Cause int

// The causes.
const (
	// Slots: the job is next, but every slot is taken. Have, Limit, Holders, Since.
	Slots Cause = iota
	// Others: other jobs start first; Have says about how many.
	Others
	// MaxRunning: the workspace has as many live jobs as it may. Have, Limit, Holders, Since.
	MaxRunning
	// Concurrency: as many jobs with the key are live as this one allows. Key, Have,
	// Limit, Holders, Since.
	Concurrency
	// InOrder: the job before it in its line waits for its time. Key, Until; Holders
	// is that job, which is queued.
	InOrder
	// RateWindow: the window of the rate limit is full. Key, Have, Limit, Until.
	RateWindow
	// RateHold: the other side asked to wait (Retry-After). Key, Until.
	RateHold
	// WorkspaceSuspended and TypeSuspended end when somebody decides so.
	WorkspaceSuspended
	TypeSuspended
	// Time: NotBefore lies ahead. Until.
	Time
)

// Kind is the kind of blocker in the API.
func (c Cause) Kind() v1.BlockerKind {
	switch c {
	case Slots:
		return v1.BlockedByCapacity
	case Others:
		return v1.BlockedByPosition
	case WorkspaceSuspended, TypeSuspended:
		return v1.BlockedBySuspend
	case Time:
		return v1.BlockedBySchedule
	case MaxRunning, Concurrency, InOrder, RateWindow, RateHold:
	}
	return v1.BlockedByLimit
}

// maxHolders bounds how many jobs a Block names.
const maxHolders = 10

// Block is one cause for which a job does not start.
type Block struct {
	Cause Cause
	// Kind is Cause.Kind().
	Kind v1.BlockerKind
	// Key is the concurrency or rate key, qualified as it was given.
	Key string
	// Since is when the oldest of those that hold what is waited for took it; zero:
	// nobody does, or it is not known.
	Since time.Time
	// Until is when it ends by itself; zero: not known.
	Until time.Time
	// Holders are the jobs that hold what is waited for, ten at most, the oldest first.
	Holders []uuid.UUID
	// Have and Limit are the numbers of a limit.
	Have, Limit int
}
