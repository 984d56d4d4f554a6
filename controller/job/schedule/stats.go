package schedule

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Len is how many jobs are queued.
func (q *Queue) Len() int { return q.index.Len() }

// LiveCount is how many jobs are live, those elsewhere included.
func (q *Queue) LiveCount() int { return len(q.live) }

// Queued reports whether the job is queued.
func (q *Queue) Queued(uid uuid.UUID) bool { return q.index.Get(uid) != nil }

// Stats are the figures of one workspace.
type Stats struct {
	Workspace       string
	Queued, Running int
	// SlotTime is how long its jobs that have ended held slots, all in all: what the
	// shares are of. It never falls while the workspace is known.
	SlotTime time.Duration
}

// Stats are those of every workspace that has jobs or has had some lately, by name.
func (q *Queue) Stats() []Stats {
	all := make([]Stats, 0, len(q.tenants))
	for _, t := range q.tenants {
		all = append(all, Stats{Workspace: t.name, Queued: t.queued, Running: t.running, SlotTime: t.used})
	}
	slices.SortFunc(all, func(a, b Stats) int { return strings.Compare(a.Workspace, b.Workspace) })
	return all
}

// Oldest is, by workspace, since when the job waits that could have started for the
// longest, as far as its own time goes. It costs O(queued jobs).
func (q *Queue) Oldest(now time.Time) map[string]time.Time {
	oldest := map[string]time.Time{}
	for i := range q.index.All() {
		if i.NotBefore().After(now) {
			continue
		}
		since := time.Unix(0, i.since)
		if i.notBefore > i.since {
			since = i.NotBefore()
		}
		if first, ok := oldest[i.Workspace]; !ok || since.Before(first) {
			oldest[i.Workspace] = since
		}
	}
	return oldest
}
