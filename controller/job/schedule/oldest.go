package schedule

import "time"

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
