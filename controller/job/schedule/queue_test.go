package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

// at is so many seconds after the test began.
func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// id is a uid that tells a job's name; uids sort as the names do.
func id(name string) (uid uuid.UUID) {
	if len(name) > len(uid) {
		panic(name + " is too long a name")
	}
	copy(uid[:], name)
	return uid
}

func ids(names ...string) []uuid.UUID {
	uids := make([]uuid.UUID, len(names))
	for i, name := range names {
		uids[i] = id(name)
	}
	return uids
}

// item is a job of workspace w that waits since so many seconds after the test began.
func item(name string, since int, changes ...func(*schedule.Item)) schedule.Item {
	i := schedule.Item{UID: id(name), Workspace: "w", Type: v1.JobTypeBuild, Since: at(since)}
	for _, change := range changes {
		change(&i)
	}
	return i
}

func of(workspace string) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Workspace = workspace }
}
func typed(t v1.JobType) func(*schedule.Item) { return func(i *schedule.Item) { i.Type = t } }
func priority(p int32) func(*schedule.Item)   { return func(i *schedule.Item) { i.Priority = p } }

func notBefore(seconds int) func(*schedule.Item) {
	return func(i *schedule.Item) { i.NotBefore = at(seconds) }
}
func holdsPlace(i *schedule.Item) { i.HoldsPlace = true }

func keyed(key string, limit int) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Key, i.Limit = key, limit }
}

func project(key string) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Key, i.Limit, i.InOrder = key, 1, true }
}

func rated(key string, limit, seconds int) func(*schedule.Item) {
	return func(i *schedule.Item) {
		i.Rate = schedule.Rate{Key: key, Limit: limit, Per: time.Duration(seconds) * time.Second}
	}
}

// drain are the jobs that Next hands out one after another.
func drain(q *schedule.Queue, now time.Time) []uuid.UUID {
	var uids []uuid.UUID
	for {
		i, ok := q.Next(now)
		if !ok {
			return uids
		}
		uids = append(uids, i.UID)
	}
}

func TestWhatStartsAndWhen(t *testing.T) {
	type step struct {
		at   int
		do   func(*schedule.Queue)
		want []uuid.UUID
		due  int // 0: none
	}
	release := func(name string, seconds int) func(*schedule.Queue) {
		return func(q *schedule.Queue) { q.Release(id(name), at(seconds)) }
	}
	upsert := func(i schedule.Item) func(*schedule.Queue) { return func(q *schedule.Queue) { q.Upsert(i) } }
	set := func(now, step int, waiting ...string) func(*schedule.Queue) {
		return func(q *schedule.Queue) {
			got := q.Set(at(now), time.Duration(step)*time.Second)
			slices.SortFunc(got, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
			if diff := cmp.Diff(ids(waiting...), got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("waiting (-want +got):\n%s", diff)
			}
		}
	}
	for name, c := range map[string]struct {
		slots      int // 0: 10
		workspaces map[string]schedule.Workspace
		queued     []schedule.Item
		steps      []step
	}{
		"nothing starts from an empty queue": {steps: []step{{at: 1}}},
		"equal jobs start in the order in which they came, then of their uid": {
			queued: []schedule.Item{item("c", 1), item("b", 0), item("a", 1)},
			steps:  []step{{at: 2, want: ids("b", "a", "c")}},
		},
		"a higher priority goes first": {
			queued: []schedule.Item{item("low", 0, priority(-1)), item("high", 5, priority(1)), item("middle", 5)},
			steps:  []step{{at: 6, want: ids("high", "middle", "low")}},
		},
		"a minute of waiting is worth a point of priority": {
			queued: []schedule.Item{item("ten higher", 601, priority(10)), item("a little less", 599, priority(10)), item("old", 0)},
			steps:  []step{{at: 602, want: ids("a little less", "old", "ten higher")}},
		},
		"no more start than there are slots, and one for each that ends": {
			slots: 2, queued: []schedule.Item{item("a", 0), item("b", 1), item("c", 2), item("d", 3)},
			steps: []step{{at: 4, want: ids("a", "b")}, {at: 5, do: release("a", 5), want: ids("c")}},
		},
		"a job that is found running takes a slot, also one too many": {
			slots: 1, queued: []schedule.Item{item("a", 0), item("b", 1), item("c", 2)},
			steps: []step{
				{at: 1, do: func(q *schedule.Queue) {
					q.Live(item("a", 0), at(0))
					q.Live(item("b", 1), at(0))
					q.Live(item("b", 1), at(1))
				}},
				{at: 2, do: release("a", 2)},
				{at: 3, do: release("b", 3), want: ids("c")},
			},
		},
		"a job that runs elsewhere takes its key but no slot, until it is taken over": {
			slots: 1, queued: []schedule.Item{item("same key", 0, keyed("k", 1)), item("a", 1), item("b", 2)},
			steps: []step{
				{at: 3, do: func(q *schedule.Queue) { q.LiveElsewhere(item("x", 0, keyed("k", 1)), at(0)) }, want: ids("a")},
				{at: 4, do: func(q *schedule.Queue) { q.Live(item("x", 0, keyed("k", 1)), at(0)); q.Release(id("a"), at(4)) }},
				{at: 5, do: release("x", 5), want: ids("same key")},
			},
		},
		"a job that yields takes its key but no slot, until one is free for it": {
			slots: 1, queued: []schedule.Item{item("x", 0, keyed("k", 1)), item("same key", 1, keyed("k", 1)), item("a", 2), item("b", 3)},
			steps: []step{
				{at: 4, want: ids("x")},
				{at: 5, do: func(q *schedule.Queue) { q.Yield(id("x")) }, want: ids("a")},
				{at: 6, do: func(q *schedule.Queue) {
					if q.Resume(id("x")) {
						panic("resumed without a slot")
					}
					q.Release(id("a"), at(6))
					if !q.Resume(id("x")) || !q.Resume(id("none")) {
						panic("not resumed")
					}
				}},
				{at: 7, do: release("x", 7), want: ids("same key")},
			},
		},
		"a key that is taken holds up nobody else": {
			queued: []schedule.Item{item("a", 0, keyed("k", 1), priority(9)), item("b", 1, keyed("k", 1), priority(9)), item("c", 2)},
			steps:  []step{{at: 3, want: ids("a", "c")}, {at: 4, do: release("a", 4), want: ids("b")}},
		},
		"a key is shared across workspaces": {
			queued: []schedule.Item{item("a", 0, keyed("k", 1)), item("b", 1, of("x"), keyed("k", 1))},
			steps:  []step{{at: 2, want: ids("a")}, {at: 3, do: release("a", 3), want: ids("b")}},
		},
		"a job is judged by its own limit": {
			queued: []schedule.Item{item("one", 0, keyed("k", 1)), item("two", 1, keyed("k", 2)), item("one more", 2, keyed("k", 1)), item("three", 3, keyed("k", 3))},
			steps:  []step{{at: 4, want: ids("one", "two", "three")}, {at: 5, do: release("one", 5)}, {at: 6, do: func(q *schedule.Queue) { q.Release(id("two"), at(6)); q.Release(id("three"), at(6)) }, want: ids("one more")}},
		},
		"a limit of 0 counts as 1": {
			queued: []schedule.Item{item("a", 0, keyed("k", 0)), item("b", 1, rated("r", 0, 60))},
			steps:  []step{{at: 2, want: ids("a", "b")}},
		},
		"deploys of one project start in submit order whatever their priority": {
			queued: []schedule.Item{item("first", 0, project("p")), item("urgent", 1, project("p"), priority(1000)), item("other", 2, project("q"))},
			steps:  []step{{at: 3, want: ids("first", "other")}, {at: 4, do: release("first", 4), want: ids("urgent")}},
		},
		"a deploy that waits for its retry is not overtaken": {
			queued: []schedule.Item{item("retry", 0, project("p"), notBefore(60), holdsPlace), item("later", 1, project("p")), item("other", 2, project("q"))},
			steps:  []step{{at: 3, want: ids("other"), due: 60}, {at: 60, want: ids("retry")}, {at: 61, do: release("retry", 61), want: ids("later")}},
		},
		"the line goes on when the one that holds it is taken out": {
			queued: []schedule.Item{item("retry", 0, project("p"), notBefore(60), holdsPlace), item("later", 1, project("p"))},
			steps:  []step{{at: 3, due: 60}, {at: 4, do: func(q *schedule.Queue) { q.Remove(id("retry")) }, want: ids("later")}},
		},
		"a deploy with startAfter lets others go before": {
			queued: []schedule.Item{item("tonight", 0, project("p"), notBefore(60)), item("now", 1, project("p"))},
			steps:  []step{{at: 3, want: ids("now"), due: 60}, {at: 60, do: release("now", 59), want: ids("tonight")}},
		},
		"a suspended workspace does not hold up the line of a project it shares": {
			workspaces: map[string]schedule.Workspace{"w": {Suspended: true}},
			queued:     []schedule.Item{item("asleep", 0, project("p")), item("awake", 1, of("x"), project("p")), item("third", 2, of("x"), project("p"))},
			steps: []step{{at: 3, want: ids("awake")}, {at: 4, do: func(q *schedule.Queue) {
				q.Release(id("awake"), at(4))
				q.SetWorkspace("w", schedule.Workspace{})
			}, want: ids("asleep")}},
		},
		"a full workspace does hold it up": {
			workspaces: map[string]schedule.Workspace{"w": {MaxRunning: new(1)}},
			queued:     []schedule.Item{item("runs", 0), item("asleep", 1, project("p")), item("awake", 2, of("x"), project("p"))},
			steps:      []step{{at: 3, want: ids("runs")}, {at: 4, do: release("runs", 4), want: ids("asleep")}},
		},
		"a rate lets so many start in any window": {
			queued: []schedule.Item{item("a", 0, rated("r", 2, 60)), item("b", 1, rated("r", 2, 60)), item("c", 2, rated("r", 2, 60)), item("other", 3)},
			steps:  []step{{at: 0, want: ids("a", "b", "other"), due: 60}, {at: 59, due: 60}, {at: 60, want: ids("c")}},
		},
		"the window slides with each start": {
			queued: []schedule.Item{item("a", 0, rated("r", 2, 60))},
			steps: []step{
				{at: 1, want: ids("a")},
				{at: 40, do: func(q *schedule.Queue) {
					for n := range 3 {
						q.Upsert(item(fmt.Sprint("b", n), 40, rated("r", 2, 60)))
					}
				}, want: ids("b0"), due: 61},
				{at: 61, want: ids("b1"), due: 100},
				{at: 100, want: ids("b2")},
			},
		},
		"starts before a restart count": {
			queued: []schedule.Item{item("a", 0, rated("r", 2, 60))},
			steps: []step{{at: 0, do: func(q *schedule.Queue) {
				q.Started(schedule.Rate{Key: "r", Limit: 2, Per: time.Minute}, at(-10))
				q.Started(schedule.Rate{Key: "r", Limit: 2, Per: time.Minute}, at(-20))
				q.Started(schedule.Rate{Key: "r", Limit: 2, Per: time.Minute}, at(-70))
			}, due: 40}, {at: 40, want: ids("a")}},
		},
		"a hold keeps its rate key until then, and an earlier one changes nothing": {
			queued: []schedule.Item{item("a", 0, rated("r", 5, 60)), item("other", 1)},
			steps: []step{{at: 2, do: func(q *schedule.Queue) {
				q.Hold("r", at(90))
				q.Hold("r", at(30))
				q.Hold("", at(90))
			}, want: ids("other"), due: 90}, {at: 90, want: ids("a")}},
		},
		"a full workspace leaves its slots to others": {
			workspaces: map[string]schedule.Workspace{"w": {MaxRunning: new(1)}},
			queued:     []schedule.Item{item("a", 0), item("b", 1), item("c", 2, of("x"))},
			steps:      []step{{at: 3, want: ids("a", "c")}, {at: 4, do: release("a", 4), want: ids("b")}},
		},
		"none may run where the maximum is 0": {
			workspaces: map[string]schedule.Workspace{"w": {MaxRunning: new(0)}}, queued: []schedule.Item{item("a", 0)},
			steps: []step{{at: 1}, {at: 2, do: func(q *schedule.Queue) { q.SetWorkspace("w", schedule.Workspace{}) }, want: ids("a")}},
		},
		"a suspended type waits alone": {
			workspaces: map[string]schedule.Workspace{"w": {SuspendedTypes: []v1.JobType{v1.JobTypeDeploy}}},
			queued:     []schedule.Item{item("deploy", 0, typed(v1.JobTypeDeploy), project("p")), item("build", 1)},
			steps:      []step{{at: 2, want: ids("build")}, {at: 3, do: func(q *schedule.Queue) { q.SetWorkspace("w", schedule.Workspace{}) }, want: ids("deploy")}},
		},
		"workspaces take turns whatever their priorities": {
			slots: 4, queued: []schedule.Item{item("a1", 0, priority(1000)), item("a2", 1, priority(1000)), item("a3", 2, priority(1000)), item("b1", 3, of("x")), item("b2", 4, of("x"))},
			steps: []step{{at: 5, want: ids("a1", "b1", "a2", "b2")}},
		},
		"a weight of 3 starts three for one": {
			workspaces: map[string]schedule.Workspace{"x": {Weight: 3}}, slots: 4,
			queued: []schedule.Item{item("a1", 0), item("a2", 1), item("b1", 2, of("x")), item("b2", 3, of("x")), item("b3", 4, of("x")), item("b4", 5, of("x"))},
			steps:  []step{{at: 6, want: ids("a1", "b1", "b2", "b3")}},
		},
		"a workspace whose job runs on is billed for it before it ends": {
			slots: 2, queued: []schedule.Item{item("a1", 0), item("b1", 0, of("x"))},
			steps: []step{{at: 0, want: ids("a1", "b1")}, {at: 100, do: func(q *schedule.Queue) {
				q.Release(id("b1"), at(1)) // it took a second
				q.Upsert(item("a2", 0))
				q.Upsert(item("b2", 99, of("x")))
			}, want: ids("b2")}},
		},
		"a run that takes less than it was charged gives the rest back": {
			slots: 2, queued: []schedule.Item{item("a1", 0), item("b1", 0, of("x")), item("a2", 1), item("b2", 1, of("x"))},
			steps: []step{{at: 0, want: ids("a1", "b1")}, {at: 0, do: release("b1", 0), want: ids("b2")}},
		},
		"a workspace of long runs is charged for as much when one starts": {
			slots: 4, queued: []schedule.Item{item("a1", 0)},
			steps: []step{
				{at: 0, want: ids("a1")},
				{at: 800, do: func(q *schedule.Queue) { q.Release(id("a1"), at(800)); q.Upsert(item("a2", 0)) }, want: ids("a2")},
				{at: 800, do: func(q *schedule.Queue) {
					for n := range 3 {
						q.Upsert(item(fmt.Sprint("a3", n), 0))
						q.Upsert(item(fmt.Sprint("b", n), 800, of("x")))
					}
				}, want: ids("b0", "b1", "b2")},
			},
		},
		"what a job ran before this queue existed is not billed": {
			slots: 3, queued: []schedule.Item{item("a1", 0), item("b1", 0, of("x")), item("b2", 1, of("x"))},
			steps: []step{{at: 2, do: func(q *schedule.Queue) { q.Live(item("a0", 0), at(-36_000)) }, want: ids("b1", "a1")}},
		},
		"a workspace that leaves the order and comes back before anything starts loses nothing": {
			slots: 3, queued: []schedule.Item{item("a1", 0), item("a2", 1), item("a3", 2), item("b1", 0, of("x")), item("b2", 1, of("x"))},
			steps: []step{{at: 0, want: ids("a1", "b1", "a2")}, {at: 0, do: func(q *schedule.Queue) {
				q.Release(id("b1"), at(0))
				q.Release(id("a1"), at(0))
				q.Upsert(item("b2", 1, of("x"), priority(1)))
				q.SetWorkspace("x", schedule.Workspace{Suspended: true})
				q.SetWorkspace("x", schedule.Workspace{})
				q.Upsert(item("b3", 1, of("x")))
			}, want: ids("b2", "b3")}},
		},
		"a queued job takes its new properties": {
			queued: []schedule.Item{item("a", 0), item("b", 1), item("c", 2)},
			steps: []step{{at: 3, do: func(q *schedule.Queue) {
				q.Upsert(item("c", 2, priority(5)))
				q.Upsert(item("a", 0, notBefore(9)))
				q.Upsert(item("b", 1))
			}, want: ids("c", "b"), due: 9}, {at: 9, want: ids("a")}},
		},
		"a live job is not queued a second time": {
			queued: []schedule.Item{item("a", 0)},
			steps:  []step{{at: 1, want: ids("a")}, {at: 2, do: func(q *schedule.Queue) { q.Upsert(item("a", 0)) }}},
		},
		"to take out or release what is not there is no error": {
			queued: []schedule.Item{item("a", 0)},
			steps:  []step{{at: 1, do: func(q *schedule.Queue) { q.Remove(id("x")); q.Release(id("a"), at(1)); q.Release(id("x"), at(1)) }, want: ids("a")}},
		},
		"a clock that goes back lets nothing start that could not": {
			queued: []schedule.Item{item("a", 0, rated("r", 1, 60)), item("b", 1, rated("r", 1, 60))},
			steps:  []step{{at: 100, want: ids("a"), due: 160}, {at: 10, due: 160}, {at: 160, want: ids("b")}},
		},
		"what is due waits until a clock that was set back says so": {
			queued: []schedule.Item{item("a", 0, notBefore(60)), item("b", 1)},
			steps: []step{
				{at: 10, want: ids("b"), due: 60},
				{at: -1000, do: set(-1000, -1011, "a"), due: 60},
				{at: -999, do: upsert(item("c", -999, notBefore(-990))), due: -990},
				{at: -990, want: ids("c"), due: 60},
			},
		},
		"what had come due before the clock was set back waits again": {
			slots: 1, queued: []schedule.Item{item("a", 0), item("b", 1, notBefore(60)), item("c", 2, notBefore(60), project("p"))},
			steps: []step{
				{at: 10, want: ids("a")},
				{at: 70},
				{at: 20, do: set(20, -50, "b", "c")},
				{at: 30, do: release("a", 30), due: 60},
				{at: 60, want: ids("b")},
			},
		},
		"a rate keeps its windows when the clock is set back": {
			queued: []schedule.Item{item("a", 0, rated("r", 1, 60)), item("b", 1, rated("r", 1, 60))},
			steps:  []step{{at: 100, want: ids("a"), due: 160}, {at: 10, do: set(10, -100), due: 60}, {at: 60, want: ids("b")}},
		},
		"a rate and a hold keep their distance when the clock is set forward": {
			queued: []schedule.Item{item("a", 0, rated("r", 1, 60)), item("b", 1, rated("r", 1, 60)), item("c", 2, rated("s", 1, 60))},
			steps: []step{
				{at: 100, do: func(q *schedule.Queue) { q.Hold("s", at(130)) }, want: ids("a"), due: 130},
				{at: 1110, do: set(1110, 1000), due: 1130},
				{at: 1130, want: ids("c"), due: 1160},
				{at: 1160, want: ids("b")},
			},
		},
		"nothing is due while every slot is taken": {
			slots: 1, queued: []schedule.Item{item("a", 0), item("b", 1, notBefore(60))},
			steps: []step{{at: 1, want: ids("a")}, {at: 2, do: release("a", 2), due: 60}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.slots == 0 {
				c.slots = 10
			}
			q := schedule.New(schedule.Options{Slots: c.slots})
			for name, w := range c.workspaces {
				q.SetWorkspace(name, w)
			}
			for _, i := range c.queued {
				q.Upsert(i)
			}
			for _, s := range c.steps {
				if s.do != nil {
					s.do(q)
				}
				if diff := cmp.Diff(s.want, drain(q, at(s.at))); diff != "" {
					t.Errorf("at %d s (-want +got):\n%s", s.at, diff)
				}
				due, ok := q.Due()
				if ok != (s.due != 0) || ok && !due.Equal(at(s.due)) {
					t.Errorf("after %d s: due %v %v, want %d s", s.at, due.Sub(epoch), ok, s.due)
				}
				if err := q.Check(); err != nil {
					t.Errorf("at %d s: %v", s.at, err)
				}
			}
		})
	}
}

func TestAnAgeingOfCenturiesStillPutsAHigherPriorityFirst(t *testing.T) {
	q := schedule.New(schedule.Options{Slots: 2, Ageing: 1 << 62})
	q.Upsert(item("low", 0, priority(-1000)))
	q.Upsert(item("high", 1, priority(1000)))
	if diff := cmp.Diff(ids("high", "low"), drain(q, at(2))); diff != "" {
		t.Error(diff)
	}
}

// Invariant 12.
func TestTheSameCallsGiveTheSameAnswers(t *testing.T) {
	play := func() []string {
		r := rand.New(rand.NewPCG(12, 12))
		q := schedule.New(schedule.Options{Slots: 8})
		var answers []string
		var live []uuid.UUID
		for n := range 4000 {
			i := item(fmt.Sprint("u", r.IntN(500)), n/2, of(fmt.Sprint("w", r.IntN(4))), priority(int32(r.IntN(3))), rated(fmt.Sprint(r.IntN(5)), 3, 30))
			project(fmt.Sprint(r.IntN(6)))(&i)
			q.Upsert(i)
			if r.IntN(50) == 0 {
				q.SetWorkspace(i.Workspace, schedule.Workspace{Weight: r.IntN(4), Suspended: r.IntN(2) == 0})
			}
			e, ok := q.Explain(i.UID, at(n))
			answers = append(answers, fmt.Sprint(e, ok))
			for next, ok := q.Next(at(n)); ok; next, ok = q.Next(at(n)) {
				answers = append(answers, next.UID.String())
				live = append(live, next.UID)
			}
			if len(live) > 0 && r.IntN(2) == 0 {
				x := r.IntN(len(live))
				q.Release(live[x], at(n))
				live = slices.Delete(live, x, x+1)
			}
		}
		return append(answers, fmt.Sprint(q.Stats()))
	}
	first := play()
	for range 3 {
		if diff := cmp.Diff(first, play()); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestTheQueueForgetsWorkspacesAndRatesOfWhichNothingIsLeft(t *testing.T) {
	q := schedule.New(schedule.Options{Slots: 1})
	q.SetWorkspace("kept", schedule.Workspace{Weight: 2})
	const jobs = 20_000
	for n := range jobs {
		name := fmt.Sprint(n)
		q.Upsert(item(name, n, of(name), rated(name, 1, 1), keyed(name, 1)))
		if !q.Queued(id(name)) {
			t.Fatalf("%s is not queued", name)
		}
		if _, ok := q.Next(at(n)); !ok {
			t.Fatalf("%s does not start", name)
		}
		q.Release(id(name), at(n))
	}
	if workspaces, windows, keys := q.Kept(); workspaces > 3000 || windows > 3000 || keys != 0 {
		t.Errorf("%d workspaces, %d rates and %d keys are kept of %d", workspaces, windows, keys, jobs)
	}
	if stats := q.Stats(); stats[len(stats)-1].Workspace != "kept" {
		t.Error("a workspace with a policy was forgotten")
	}
}
