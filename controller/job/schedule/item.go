package schedule

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
)

// Item is one job as the schedule sees it.
type Item struct {
	UID       uuid.UUID
	Workspace string
	Type      v1.JobType
	// Priority is −1000 to 1000; higher runs first within the workspace.
	Priority int32
	// Since is since when the job waits; it ages from there, and decides among equals.
	// What lies outside 1824 to 2116 counts as the nearer of the two.
	Since time.Time
	// Key is the concurrency key, such that equal ones share a limit, also across
	// workspaces; empty: none. When the job starts, at most Limit jobs with Key are
	// live, itself included, whatever limits the others have. A Limit below 1 is 1.
	Key   string
	Limit int
	// InOrder: the jobs with Key that have it set start in the order of Since and UID,
	// whatever their priorities and workspaces.
	InOrder bool
	// Rate is zero where there is no limit.
	Rate Rate
	// NotBefore is the earliest start, within the same bounds as Since; zero: at once.
	NotBefore time.Time
	// HoldsPlace: with InOrder, those behind this job wait for NotBefore as well.
	// Without it the job takes its place when NotBefore has come.
	HoldsPlace bool
}

// Rate allows Limit starts with Key in any window of Per, its first moment included
// and its last one not. A Limit below 1 is 1.
//
// Jobs may disagree on Limit: each is judged by its own. They should agree on Per: the
// starts of a key are remembered for the longest Per that was known when they happened.
type Rate struct {
	Key   string
	Limit int
	Per   time.Duration
}

// Workspace holds the share and the limits of a workspace. The zero Workspace has weight 1
// and no limits, like a workspace that was never set.
type Workspace struct {
	// Weight is its share of the slots; below 1: 1.
	Weight int
	// MaxRunning is how many of its jobs may be live; nil: no limit.
	MaxRunning *int
	// Suspended: none of its jobs starts.
	Suspended bool
	// SuspendedTypes are the types of which none starts.
	SuspendedTypes []v1.JobType
}

// queued is an item in the queue, in 80 bytes: there may be a million. It is at one of
// three places, and place.go is the only file that moves it:
//
//	clock   NotBefore lies ahead and nobody waits behind it: wake is set, nothing else
//	line    InOrder, and not the first of its line: lineAt
//	group   the rest: group and groupAt (the first of a line has lineAt as well)
type queued struct {
	*traits
	UID       uuid.UUID
	notBefore int64 // nanoseconds from 1970 on; 0 is as good as at once
	since     int64 // nanoseconds from 1970 on
	rank      int64 // since − Priority·Ageing: the lower the earlier, for ever
	group     *group
	wake      *wake
	groupAt   int32
	lineAt    int32
	priority  int32
}

// item is the Item as given to Upsert.
func (a *queued) item() Item {
	return Item{
		UID: a.UID, Workspace: a.tenant.name, Type: a.Type, Priority: a.priority, Since: time.Unix(0, a.since),
		Key: a.Key, Limit: a.Limit, InOrder: a.InOrder, Rate: a.Rate, NotBefore: a.NotBefore(), HoldsPlace: a.HoldsPlace,
	}
}

// NotBefore is the earliest start; zero: at once.
func (a *queued) NotBefore() time.Time {
	if a.notBefore == 0 {
		return time.Time{}
	}
	return time.Unix(0, a.notBefore)
}

func (a *queued) uid() uuid.UUID { return a.UID }

// traits are what queued items have in common with others; there is one for each
// combination.
type traits struct {
	traitsID
	tenant *tenant
	items  int // queued with these
}

type traitsID struct {
	Workspace  string
	Type       v1.JobType
	Key        string
	Limit      int
	InOrder    bool
	HoldsPlace bool
	Rate       Rate
}

// nanoseconds of a moment, such that the priority can be taken off: maxAgeing a point is
// less than 2⁶² in all.
func nanoseconds(t time.Time) int64 {
	const most = 1 << 62
	switch seconds := t.Unix(); {
	case seconds <= -most/int64(time.Second):
		return -most
	case seconds >= most/int64(time.Second):
		return most
	}
	return t.UnixNano()
}

// before is the order within a workspace.
func (a *queued) before(b *queued) bool {
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	return uidBefore(a.UID, b.UID)
}

// uidBefore orders uids as their text does.
func uidBefore(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }

// submittedBefore is the order within a line.
func (a *queued) submittedBefore(b *queued) bool {
	if a.since != b.since {
		return a.since < b.since
	}
	return uidBefore(a.UID, b.UID)
}

// live is an item that runs.
type live struct {
	Item
	tenant  *tenant
	key     *key // nil: none
	started time.Time
	// elsewhere: another worker runs it, or it has yielded, so that it holds none of these
	// slots.
	elsewhere bool
	// What its workspace was charged for it: in virtual time, and as the moment up to
	// which that pays for.
	booked    float64
	paidUntil time.Time
	at        int32 // place in tenant.live
}

func (a *live) slots() int {
	if a.elsewhere {
		return 0
	}
	return 1
}

func (a *live) startedBefore(b *live) int {
	if c := a.started.Compare(b.started); c != 0 {
		return c
	}
	return bytes.Compare(a.UID[:], b.UID[:])
}
