package schedule_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/schedule"
)

// model is the obvious implementation of every rule but fair share: it looks at all
// jobs each time.
type model struct {
	slots      int
	ageing     time.Duration
	now        time.Time
	queued     map[types.UID]schedule.Item
	live       map[types.UID]schedule.Item
	starts     map[string][]time.Time
	holds      map[string]time.Time
	workspaces map[string]schedule.Workspace
}

func (m *model) ranked(workspace string) []schedule.Item {
	var items []schedule.Item
	for _, i := range m.queued {
		if i.Workspace == workspace {
			items = append(items, i)
		}
	}
	slices.SortFunc(items, func(a, b schedule.Item) int {
		x, y := a.Since.Add(-time.Duration(a.Priority)*m.ageing), b.Since.Add(-time.Duration(b.Priority)*m.ageing)
		if c := x.Compare(y); c != 0 {
			return c
		}
		return slices.Compare([]byte(a.UID), []byte(b.UID))
	})
	return items
}

// may reports whether the job may start now, as far as it is up to itself.
func (m *model) may(i schedule.Item) bool {
	w := m.workspaces[i.Workspace]
	running, holders := 0, 0
	for _, l := range m.live {
		if l.Workspace == i.Workspace {
			running++
		}
		if l.Key == i.Key {
			holders++
		}
	}
	within := 0
	for _, at := range m.starts[i.Rate.Key] {
		if at.After(m.now.Add(-i.Rate.Per)) {
			within++
		}
	}
	return len(m.live) < m.slots && !w.Suspended && !slices.Contains(w.SuspendedTypes, i.Type) &&
		(w.MaxRunning == nil || running < *w.MaxRunning) && (i.Key == "" || holders < i.Limit) &&
		!i.NotBefore.After(m.now) && (i.Rate.Key == "" || within < i.Rate.Limit && !m.holds[i.Rate.Key].After(m.now))
}

// next is the best job of the workspace that may start; false: none may.
func (m *model) next(workspace string) (schedule.Item, bool) {
	for _, i := range m.ranked(workspace) {
		if m.may(i) {
			return i, true
		}
	}
	return schedule.Item{}, false
}

// TestQueueAgreesWithTheObvious compares with model. Which workspace is next is the
// queue's to say; the job within it is not. Limits belong to the key here, since a
// key whose jobs state different limits is judged by its first job.
func TestQueueAgreesWithTheObvious(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			slots: rapid.IntRange(1, 4).Draw(t, "slots"), ageing: time.Second, now: start,
			queued: map[types.UID]schedule.Item{}, live: map[types.UID]schedule.Item{},
			starts: map[string][]time.Time{}, holds: map[string]time.Time{}, workspaces: map[string]schedule.Workspace{},
		}
		q := schedule.New(schedule.Options{Slots: m.slots, Ageing: m.ageing})
		workspaces := []string{"v", "w"}
		keys := map[string]int{"": 0, "k": 1, "l": 2}
		rates := map[string]schedule.Rate{"": {}, "r": {Key: "r", Limit: 2, Per: 5 * time.Second}}
		number := 0
		t.Repeat(map[string]func(*rapid.T){
			"upsert": func(t *rapid.T) {
				uid := types.UID(fmt.Sprintf("%04d", rapid.IntRange(0, 15).Draw(t, "uid")))
				if _, ok := m.live[uid]; ok {
					return
				}
				number++
				key := rapid.SampledFrom([]string{"", "k", "l"}).Draw(t, "key")
				i := schedule.Item{
					UID: uid, Workspace: rapid.SampledFrom(workspaces).Draw(t, "workspace"), Type: rapid.SampledFrom(v1.JobTypes()).Draw(t, "type"),
					Priority: int32(rapid.IntRange(-2, 2).Draw(t, "priority")), Since: start.Add(time.Duration(number) * time.Second),
					Key: key, Limit: keys[key], Rate: rates[rapid.SampledFrom([]string{"", "r"}).Draw(t, "rate")],
				}
				if rapid.IntRange(0, 3).Draw(t, "later") == 0 {
					i.NotBefore = m.now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "delay")) * time.Second)
				}
				q.Upsert(i)
				m.queued[uid] = i
			},
			"remove": func(t *rapid.T) {
				uid := types.UID(fmt.Sprintf("%04d", rapid.IntRange(0, 15).Draw(t, "uid")))
				q.Remove(uid)
				delete(m.queued, uid)
			},
			"next": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
				got, ok := q.Next(m.now)
				if !ok {
					for _, w := range workspaces {
						if i, may := m.next(w); may {
							t.Fatalf("nothing starts, though %+v may", i)
						}
					}
					if at, due := q.Due(); due && !at.After(m.now) {
						t.Fatalf("due at %v, in the past of %v", at, m.now)
					}
					return
				}
				want, may := m.next(got.Workspace)
				if !may || got != want {
					t.Fatalf("%+v starts, want %+v, %v", got, want, may)
				}
				delete(m.queued, got.UID)
				m.live[got.UID] = got
				m.starts[got.Rate.Key] = append(m.starts[got.Rate.Key], m.now)
			},
			"release": func(t *rapid.T) {
				uid := types.UID(fmt.Sprintf("%04d", rapid.IntRange(0, 15).Draw(t, "uid")))
				q.Release(uid, m.now)
				delete(m.live, uid)
			},
			"workspace": func(t *rapid.T) {
				w := schedule.Workspace{Weight: rapid.IntRange(0, 3).Draw(t, "weight"), Suspended: rapid.IntRange(0, 4).Draw(t, "suspended") == 0}
				if rapid.Bool().Draw(t, "limited") {
					w.MaxRunning = new(rapid.IntRange(0, 2).Draw(t, "running"))
				}
				if rapid.Bool().Draw(t, "types") {
					w.SuspendedTypes = []v1.JobType{rapid.SampledFrom(v1.JobTypes()).Draw(t, "type")}
				}
				name := rapid.SampledFrom(workspaces).Draw(t, "name")
				q.SetWorkspace(name, w)
				m.workspaces[name] = w
			},
			"hold": func(t *rapid.T) {
				until := m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "seconds")) * time.Second)
				q.Hold("r", until)
				if until.After(m.holds["r"]) {
					m.holds["r"] = until
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != len(m.queued) || q.LiveCount() != len(m.live) {
					t.Fatalf("%d queued, %d live, want %d, %d", q.Len(), q.LiveCount(), len(m.queued), len(m.live))
				}
				for uid, i := range m.queued {
					why, ok := q.Explain(uid, m.now)
					if !ok || len(why.Blocks) == 0 && !m.may(i) {
						t.Fatalf("%+v may not start, and nothing says why", i)
					}
				}
			},
		})
	})
}
