package schedule_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

func TestWhatAnExplanationSays(t *testing.T) {
	for name, c := range map[string]struct {
		slots     int // 0: 10
		workspace schedule.Workspace
		live      []schedule.Item // since their Since
		queued    []schedule.Item
		do        func(*schedule.Queue)
		want      schedule.Explanation // of the job "it", at 10 s
	}{
		"nothing, of the job that is next": {queued: []schedule.Item{item("it", 0), item("other", 1)}},
		"who holds the slots, when it is next; its own workspace first, then the oldest": {
			slots: 3, live: []schedule.Item{item("x1", 0, of("x")), item("x2", 2, of("x")), item("w1", 3)}, queued: []schedule.Item{item("it", 0)},
			want: schedule.Explanation{Blocks: []schedule.Block{{
				Cause: schedule.Slots, Kind: v1.BlockedByCapacity, Have: 3, Limit: 3, Since: at(0), Holders: ids("w1", "x1", "x2"),
			}}},
		},
		"how many go first": {
			slots: 1, live: []schedule.Item{item("w1", 0)}, queued: []schedule.Item{item("it", 5), item("older", 4), item("urgent", 9, priority(1)), item("later", 6)},
			want: schedule.Explanation{Position: 2, Blocks: []schedule.Block{{Cause: schedule.Others, Kind: v1.BlockedByPosition, Have: 2}}},
		},
		"those of other workspaces that go first by its weight": {
			workspace: schedule.Workspace{Weight: 2},
			queued: []schedule.Item{
				item("it", 5), item("w1", 0), item("w2", 1), item("w3", 2), item("w4", 3),
				item("x1", 0, of("x")), item("x2", 0, of("x")), item("x3", 0, of("x")), item("x4", 0, of("x")),
			},
			want: schedule.Explanation{Position: 6, Blocks: []schedule.Block{{Cause: schedule.Others, Kind: v1.BlockedByPosition, Have: 6}}},
		},
		"jobs that are blocked do not go first": {
			live: []schedule.Item{item("k0", 0, keyed("k", 1))}, queued: []schedule.Item{item("it", 5), item("k1", 1, keyed("k", 1)), item("k2", 1, keyed("k", 1))},
		},
		"who holds the key": {
			live: []schedule.Item{item("k0", 3, keyed("k", 1))}, queued: []schedule.Item{item("it", 5, keyed("k", 1)), item("k1", 1, keyed("k", 1))},
			want: schedule.Explanation{Position: 1, Blocks: []schedule.Block{
				{Cause: schedule.Concurrency, Kind: v1.BlockedByLimit, Key: "k", Have: 1, Limit: 1, Since: at(3), Holders: ids("k0")},
				{Cause: schedule.Others, Kind: v1.BlockedByPosition, Have: 1},
			}},
		},
		"the deploy before it that waits for its retry": {
			queued: []schedule.Item{item("it", 5, project("p")), item("retry", 1, project("p"), notBefore(60), holdsPlace)},
			want: schedule.Explanation{Position: 1, Blocks: []schedule.Block{
				{Cause: schedule.InOrder, Kind: v1.BlockedByLimit, Key: "p", Until: at(60), Holders: ids("retry")},
				{Cause: schedule.Others, Kind: v1.BlockedByPosition, Have: 1},
			}},
		},
		"the deploys before it, each once": {
			queued: []schedule.Item{item("it", 5, project("p"), priority(9)), item("p1", 1, project("p"), priority(99)), item("p2", 2, of("x"), project("p"))},
			want:   schedule.Explanation{Position: 2, Blocks: []schedule.Block{{Cause: schedule.Others, Kind: v1.BlockedByPosition, Have: 2}}},
		},
		"when the window has room again": {
			queued: []schedule.Item{item("it", 0, rated("r", 2, 60))},
			do: func(q *schedule.Queue) {
				for _, ago := range []int{-100, -20, -10, 0} {
					q.Started(schedule.Rate{Key: "r", Limit: 2, Per: 60e9}, at(ago))
				}
			},
			want: schedule.Explanation{Blocks: []schedule.Block{{Cause: schedule.RateWindow, Kind: v1.BlockedByLimit, Key: "r", Until: at(50), Have: 3, Limit: 2}}},
		},
		"until when the other side asked to wait": {
			queued: []schedule.Item{item("it", 0, rated("r", 2, 60))}, do: func(q *schedule.Queue) { q.Hold("r", at(99)) },
			want: schedule.Explanation{Blocks: []schedule.Block{{Cause: schedule.RateHold, Kind: v1.BlockedByLimit, Key: "r", Until: at(99)}}},
		},
		"what is suspended, and what it would wait for all the same": {
			workspace: schedule.Workspace{Suspended: true, SuspendedTypes: []v1.JobType{v1.JobTypeBuild}}, queued: []schedule.Item{item("it", 0, notBefore(30))},
			want: schedule.Explanation{Blocks: []schedule.Block{
				{Cause: schedule.WorkspaceSuspended, Kind: v1.BlockedBySuspend},
				{Cause: schedule.TypeSuspended, Kind: v1.BlockedBySuspend},
				{Cause: schedule.Time, Kind: v1.BlockedBySchedule, Until: at(30)},
			}},
		},
		"that the workspace is full": {
			workspace: schedule.Workspace{MaxRunning: new(1)}, live: []schedule.Item{item("w1", 2)}, queued: []schedule.Item{item("it", 0)},
			want: schedule.Explanation{Blocks: []schedule.Block{{
				Cause: schedule.MaxRunning, Kind: v1.BlockedByLimit, Have: 1, Limit: 1, Since: at(2), Holders: ids("w1"),
			}}},
		},
		"nothing of a moment that has come meanwhile": {queued: []schedule.Item{item("it", 0, notBefore(9))}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.slots == 0 {
				c.slots = 10
			}
			q := schedule.New(schedule.Options{Slots: c.slots})
			q.SetWorkspace("w", c.workspace)
			for _, i := range c.live {
				q.Live(i, i.Since)
			}
			for _, i := range c.queued {
				q.Upsert(i)
			}
			if c.do != nil {
				c.do(q)
			}
			got, ok := q.Explain(id("it"), at(10))
			if diff := cmp.Diff(c.want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
			next, ok := q.Next(at(10))
			if is := ok && next.UID == id("it"); is != (len(c.want.Blocks) == 0) {
				t.Errorf("the next is %q", next.UID)
			}
		})
	}
}

func TestAnExplanationNamesTenHoldersAtMostAndOnlyOfQueuedJobs(t *testing.T) {
	q := schedule.New(schedule.Options{Slots: 30})
	for n := range 30 {
		q.Live(item(fmt.Sprintf("live%02d", n), n, of(fmt.Sprint("w", n%2))), at(n))
	}
	q.Upsert(item("it", 0, of("w1")))
	got, _ := q.Explain(id("it"), at(60))
	want := ids("live01", "live03", "live05", "live07", "live09", "live11", "live13", "live15", "live17", "live19")
	if diff := cmp.Diff(want, got.Blocks[0].Holders); diff != "" || !got.Blocks[0].Since.Equal(at(0)) {
		t.Errorf("since %v (-want +got):\n%s", got.Blocks[0].Since, diff)
	}
	for _, uid := range ids("live01", "unknown") {
		if _, ok := q.Explain(uid, at(60)); ok {
			t.Errorf("%s is not queued and explained", uid)
		}
	}
}
