package schedule_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// model says which jobs may start, by looking at all of them: the definition that the
// Queue must agree with.
type model struct {
	slots      int
	ageing     time.Duration
	now        time.Time
	queued     []schedule.Item
	live       []schedule.Item
	workspaces map[string]schedule.Workspace
	starts     map[string][]time.Time
	elsewhere  map[uuid.UUID]bool // of the live ones
	holds      map[string]time.Time
}

func (m *model) find(list []schedule.Item, uid uuid.UUID) int {
	return slices.IndexFunc(list, func(i schedule.Item) bool { return i.UID == uid })
}

func (m *model) count(match func(schedule.Item) bool) int {
	n := 0
	for _, i := range m.live {
		if match(i) {
			n++
		}
	}
	return n
}

func (m *model) stopped(i schedule.Item) bool {
	w := m.workspaces[i.Workspace]
	return w.Suspended || slices.Contains(w.SuspendedTypes, i.Type) || w.MaxRunning != nil && *w.MaxRunning == 0
}

func (m *model) may(i schedule.Item) bool {
	w := m.workspaces[i.Workspace]
	if m.stopped(i) || i.NotBefore.After(m.now) {
		return false
	}
	if w.MaxRunning != nil && m.count(func(l schedule.Item) bool { return l.Workspace == i.Workspace }) >= *w.MaxRunning {
		return false
	}
	if i.Key != "" && m.count(func(l schedule.Item) bool { return l.Key == i.Key }) >= i.Limit {
		return false
	}
	if i.Rate.Key != "" {
		recent := 0
		for _, start := range m.starts[i.Rate.Key] {
			if start.Add(i.Rate.Per).After(m.now) {
				recent++
			}
		}
		if recent >= i.Rate.Limit || m.holds[i.Rate.Key].After(m.now) {
			return false
		}
	}
	return !i.InOrder || !slices.ContainsFunc(m.queued, func(o schedule.Item) bool {
		return o.InOrder && o.Key == i.Key && !m.stopped(o) && (o.HoldsPlace || !o.NotBefore.After(m.now)) &&
			cmp.Or(o.Since.Compare(i.Since), bytes.Compare(o.UID[:], i.UID[:])) < 0
	})
}

func (m *model) eligible() []schedule.Item {
	var all []schedule.Item
	if m.count(func(l schedule.Item) bool { return !m.elsewhere[l.UID] }) >= m.slots {
		return nil
	}
	for _, i := range m.queued {
		if m.may(i) {
			all = append(all, i)
		}
	}
	return all
}

// first is the one of a workspace's jobs with the highest effective priority now.
func (m *model) first(items []schedule.Item, workspace string) schedule.Item {
	var first schedule.Item
	effective := func(i schedule.Item) time.Duration {
		return time.Duration(i.Priority)*m.ageing + m.now.Sub(i.Since)
	}
	for _, i := range items {
		if i.Workspace == workspace && (first.UID == uuid.Nil ||
			cmp.Or(-cmp.Compare(effective(i), effective(first)), bytes.Compare(i.UID[:], first.UID[:])) < 0) {
			first = i
		}
	}
	return first
}

func drawItem(t *rapid.T, m *model) schedule.Item {
	i := schedule.Item{
		UID:       id(fmt.Sprintf("u%02d", rapid.IntRange(0, 30).Draw(t, "uid"))),
		Workspace: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "workspace"),
		Type:      rapid.SampledFrom([]v1.JobType{v1.JobTypeBuild, v1.JobTypeDeploy}).Draw(t, "type"),
		Priority:  rapid.Int32Range(-3, 3).Draw(t, "priority"),
		Since:     m.now.Add(-time.Duration(rapid.IntRange(0, 5).Draw(t, "waits")) * 20 * time.Second),
	}
	switch rapid.IntRange(0, 4).Draw(t, "key") {
	case 1:
		i.Key, i.Limit = "k", rapid.IntRange(1, 3).Draw(t, "limit")
	case 2:
		i.Key, i.Limit = i.Workspace+"/k", 1
	case 3, 4:
		i.Key, i.Limit, i.InOrder, i.HoldsPlace = "project", rapid.IntRange(1, 2).Draw(t, "limit"), true, rapid.Bool().Draw(t, "holds")
	}
	if rapid.Bool().Draw(t, "rated") {
		i.Rate = schedule.Rate{Key: rapid.SampledFrom([]string{"r", i.Workspace + "/r"}).Draw(t, "rate"), Limit: rapid.IntRange(1, 3).Draw(t, "rate limit"), Per: time.Minute}
	}
	if rapid.IntRange(0, 3).Draw(t, "timed") == 0 {
		i.NotBefore = m.now.Add(time.Duration(rapid.IntRange(-1, 4).Draw(t, "not before")) * 15 * time.Second)
	}
	return i
}

// Invariants 3 to 5 and 7 to 12, and 6 as far as the model has it.
func TestQueueAgreesWithAModelThatLooksAtEveryJob(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			slots: rapid.IntRange(1, 5).Draw(t, "slots"), ageing: 30 * time.Second, now: epoch,
			workspaces: map[string]schedule.Workspace{}, starts: map[string][]time.Time{}, holds: map[string]time.Time{}, elsewhere: map[uuid.UUID]bool{},
		}
		q := schedule.New(schedule.Options{Slots: m.slots, Ageing: m.ageing})
		if _, ok := q.Next(m.now); ok {
			t.Fatal("an empty queue has a next job")
		}
		t.Repeat(map[string]func(*rapid.T){
			"upsert": func(t *rapid.T) {
				i := drawItem(t, m)
				q.Upsert(i)
				if m.find(m.live, i.UID) >= 0 {
					return
				}
				if at := m.find(m.queued, i.UID); at >= 0 {
					m.queued[at] = i
					return
				}
				m.queued = append(m.queued, i)
			},
			"remove": func(t *rapid.T) {
				uid := drawItem(t, m).UID
				q.Remove(uid)
				m.queued = slices.DeleteFunc(m.queued, func(i schedule.Item) bool { return i.UID == uid })
			},
			"next": func(t *rapid.T) {
				eligible := m.eligible()
				empty := unblocked(t, q, m)
				got, ok := q.Next(m.now)
				if ok != (len(eligible) > 0) {
					t.Fatalf("Next: %v %v, may start: %v", ok, got, eligible)
				}
				if !ok {
					if len(empty) > 0 {
						t.Fatalf("nothing blocks %v, and they do not start", empty)
					}
					return
				}
				if want := m.first(eligible, got.Workspace); got.UID != want.UID {
					t.Fatalf("Next: %v, the first of its workspace is %v", got, want)
				}
				if len(empty) != 1 || empty[0] != got.UID {
					t.Fatalf("nothing blocks %v, but the next is %s", empty, got.UID)
				}
				m.queued = slices.Delete(m.queued, m.find(m.queued, got.UID), m.find(m.queued, got.UID)+1)
				m.live = append(m.live, got)
				m.starts[got.Rate.Key] = append(m.starts[got.Rate.Key], m.now)
			},
			"live": func(t *rapid.T) {
				i := drawItem(t, m)
				if m.elsewhere[i.UID] = rapid.Bool().Draw(t, "elsewhere"); m.elsewhere[i.UID] {
					q.LiveElsewhere(i, m.now.Add(-time.Minute))
				} else {
					q.Live(i, m.now.Add(-time.Minute))
				}
				if m.find(m.live, i.UID) < 0 {
					m.live = append(m.live, i)
					m.queued = slices.DeleteFunc(m.queued, func(o schedule.Item) bool { return o.UID == i.UID })
				}
			},
			"release": func(t *rapid.T) {
				if len(m.live) == 0 {
					t.Skip("nothing is live")
				}
				at := rapid.IntRange(0, len(m.live)-1).Draw(t, "live")
				q.Release(m.live[at].UID, m.now)
				delete(m.elsewhere, m.live[at].UID)
				m.live = slices.Delete(m.live, at, at+1)
			},
			"policy": func(t *rapid.T) {
				w := schedule.Workspace{Weight: rapid.IntRange(0, 3).Draw(t, "weight"), Suspended: rapid.IntRange(0, 3).Draw(t, "suspended") == 0}
				if n := rapid.IntRange(-1, 2).Draw(t, "max running"); n >= 0 {
					w.MaxRunning = &n
				}
				if rapid.IntRange(0, 2).Draw(t, "types") == 0 {
					w.SuspendedTypes = []v1.JobType{v1.JobTypeDeploy}
				}
				name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "workspace")
				q.SetWorkspace(name, w)
				m.workspaces[name] = w
			},
			"hold": func(t *rapid.T) {
				until := m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
				q.Hold("r", until)
				if until.After(m.holds["r"]) {
					m.holds["r"] = until
				}
			},
			"started": func(t *rapid.T) {
				at := m.now.Add(-time.Duration(rapid.IntRange(0, 70).Draw(t, "ago")) * time.Second)
				q.Started(schedule.Rate{Key: "r", Limit: 1, Per: time.Minute}, at)
				m.starts["r"] = append(m.starts["r"], at)
			},
			"time": func(t *rapid.T) {
				if len(m.eligible()) > 0 {
					t.Skip("jobs may start now")
				}
				if _, ok := q.Next(m.now); ok {
					t.Fatal("Next has a job that may not start")
				}
				due, ok := q.Due()
				later := m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
				if !ok || due.After(later) {
					// Nothing starts before Due, so nothing may start one moment before.
					m.now = later
				} else {
					m.now = due.Add(-1)
				}
				if eligible := m.eligible(); len(eligible) > 0 {
					t.Fatalf("at %v %v may start; Due said %v %v", m.now, eligible, due, ok)
				}
				m.now = later
			},
			"": func(t *rapid.T) {
				if err := q.Check(); err != nil {
					t.Fatal(err)
				}
				if q.Len() != len(m.queued) || q.LiveCount() != len(m.live) {
					t.Fatalf("%d queued, %d live; want %d, %d", q.Len(), q.LiveCount(), len(m.queued), len(m.live))
				}
			},
		})
	})
}

// unblocked are the queued jobs that nothing blocks, as the explanations have it.
func unblocked(t *rapid.T, q *schedule.Queue, m *model) []uuid.UUID {
	var free []uuid.UUID
	for _, i := range m.queued {
		e, ok := q.Explain(i.UID, m.now)
		if !ok {
			t.Fatalf("%s is queued and not explained", i.UID)
		}
		if len(e.Blocks) == 0 {
			free = append(free, i.UID)
		}
	}
	return free
}
