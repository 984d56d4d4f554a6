package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/schedule"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// situation is a queue that steps act on; it remembers what started.
type situation struct {
	q       *schedule.Queue
	now     time.Time
	created int
	started []string
}

type step func(*situation)

// add queues a job in workspace w, younger than those before.
func add(name string, change ...func(*schedule.Item)) step {
	return func(s *situation) {
		s.created++
		i := schedule.Item{UID: types.UID(name), Workspace: "w", Type: v1.JobTypeDeploy, Since: start.Add(time.Duration(s.created) * time.Millisecond)}
		for _, c := range change {
			c(&i)
		}
		s.q.Upsert(i)
	}
}

func priority(n int32) func(*schedule.Item) { return func(i *schedule.Item) { i.Priority = n } }

func in(workspace string) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Workspace = workspace }
}

func key(name string, limit int) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Key, i.Limit = name, limit }
}

func inOrder(project string) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Key, i.Limit, i.InOrder = project, 1, true }
}

func notBefore(after time.Duration) func(*schedule.Item) {
	return func(i *schedule.Item) { i.NotBefore = start.Add(after) }
}

func holdsPlace(i *schedule.Item) { i.HoldsPlace = true }

func rate(name string, limit int, per time.Duration) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Rate = schedule.Rate{Key: name, Limit: limit, Per: per} }
}

func since(ago time.Duration) func(*schedule.Item) {
	return func(i *schedule.Item) { i.Since = start.Add(-ago) }
}

func build(i *schedule.Item) { i.Type = v1.JobTypeBuild }

// run starts whatever may start.
func run(s *situation) {
	for {
		i, ok := s.q.Next(s.now)
		if !ok {
			return
		}
		s.started = append(s.started, string(i.UID))
	}
}

func end(names ...string) step {
	return func(s *situation) {
		for _, name := range names {
			s.q.Release(types.UID(name), s.now)
		}
	}
}

func remove(name string) step { return func(s *situation) { s.q.Remove(types.UID(name)) } }

func after(d time.Duration) step { return func(s *situation) { s.now = start.Add(d) } }

func workspace(name string, w schedule.Workspace) step {
	return func(s *situation) { s.q.SetWorkspace(name, w) }
}

// drain ends each job as soon as it has started, with one slot.
func drain(s *situation) {
	for range 100 {
		before := len(s.started)
		run(s)
		for _, name := range s.started[before:] {
			s.q.Release(types.UID(name), s.now)
		}
		if len(s.started) == before {
			return
		}
	}
}

func TestWhoRunsNext(t *testing.T) {
	none := 0
	for name, tc := range map[string]struct {
		slots int
		steps []step
		want  string
	}{
		"the oldest first":                           {1, []step{add("a"), add("b"), add("c"), drain}, "a b c"},
		"a higher priority first":                    {1, []step{add("a"), add("b", priority(5)), add("c", priority(-1)), drain}, "b a c"},
		"a raised priority counts while queued":      {1, []step{add("a"), add("b"), add("b", priority(5)), drain}, "b a"},
		"waiting makes up for priority":              {1, []step{add("old", since(11*time.Minute)), add("new", priority(10)), drain}, "old new"},
		"but not too soon":                           {1, []step{add("old", since(9*time.Minute)), add("new", priority(10)), drain}, "new old"},
		"no more than there are slots":               {2, []step{add("a"), add("b"), add("c"), run}, "a b"},
		"a slot that comes free is given away":       {2, []step{add("a"), add("b"), add("c"), run, end("a"), run}, "a b c"},
		"what was removed does not run":              {1, []step{add("a"), add("b"), remove("a"), drain}, "b"},
		"a key lets in as many as its limit":         {9, []step{add("a", key("k", 2)), add("b", key("k", 2)), add("c", key("k", 2)), run}, "a b"},
		"a key that comes free lets in the next":     {9, []step{add("a", key("k", 1)), add("b", key("k", 1)), run, end("a"), run}, "a b"},
		"a taken key holds up no other":              {9, []step{add("a", key("k", 1)), add("b", key("k", 1)), add("c", key("l", 1)), add("d"), run}, "a c d"},
		"a key counts across workspaces":             {9, []step{add("a", inOrder("p")), add("b", inOrder("p"), in("x")), run, end("a"), run}, "a b"},
		"deploys of one project in submit order":     {1, []step{add("a", inOrder("p")), add("b", inOrder("p"), priority(9)), drain}, "a b"},
		"a retry keeps its place":                    {9, []step{add("a", inOrder("p"), notBefore(time.Minute), holdsPlace), add("b", inOrder("p")), run, after(time.Minute), drain}, "a b"},
		"a later start does not":                     {9, []step{add("a", inOrder("p"), notBefore(time.Minute)), add("b", inOrder("p")), drain, after(time.Minute), drain}, "b a"},
		"nothing starts before its time":             {9, []step{add("a", notBefore(time.Minute)), run, after(time.Minute - 1), run, add("b"), run, after(time.Minute), run}, "b a"},
		"a window lets in as many as its limit":      {9, []step{add("a", rate("r", 2, time.Minute)), add("b", rate("r", 2, time.Minute)), add("c", rate("r", 2, time.Minute)), run, after(59 * time.Second), run, after(time.Minute), run}, "a b c"},
		"a full window holds up nobody else":         {9, []step{add("a", rate("r", 1, time.Minute)), add("b", rate("r", 1, time.Minute)), add("c"), run}, "a c"},
		"one window for two types":                   {9, []step{add("a", rate("r", 1, time.Minute)), add("b", rate("r", 1, time.Minute), build), run, after(time.Minute), run}, "a b"},
		"starts of the past count":                   {9, []step{func(s *situation) { s.q.Started(schedule.Rate{Key: "r", Per: time.Minute}, start.Add(-30*time.Second)) }, add("a", rate("r", 1, time.Minute)), run, add("b"), run, after(30 * time.Second), run}, "b a"},
		"a hold is waited for":                       {9, []step{func(s *situation) { s.q.Hold("r", start.Add(time.Minute)) }, add("a", rate("r", 9, time.Minute)), run, add("b"), run, after(time.Minute), run}, "b a"},
		"a workspace's own limit":                    {9, []step{workspace("w", schedule.Workspace{MaxRunning: new(1)}), add("a"), add("b"), add("c", in("v")), run}, "c a"},
		"a limit of none":                            {9, []step{workspace("w", schedule.Workspace{MaxRunning: &none}), add("a"), run}, ""},
		"a limit that is raised":                     {9, []step{workspace("w", schedule.Workspace{MaxRunning: &none}), add("a"), run, workspace("w", schedule.Workspace{}), run}, "a"},
		"a suspended workspace":                      {9, []step{workspace("w", schedule.Workspace{Suspended: true}), add("a"), add("b", in("v")), run, workspace("w", schedule.Workspace{}), run}, "b a"},
		"a suspended type":                           {9, []step{workspace("w", schedule.Workspace{SuspendedTypes: []v1.JobType{v1.JobTypeDeploy}}), add("a"), add("b", build), run, workspace("w", schedule.Workspace{}), run}, "b a"},
		"a job that was found running takes its key": {9, []step{func(s *situation) { s.q.Live(schedule.Item{UID: "x", Workspace: "w", Key: "k", Limit: 1}, start) }, add("a", key("k", 1)), run, end("x"), run}, "a"},
		"and its slot":                               {1, []step{func(s *situation) { s.q.Live(schedule.Item{UID: "x", Workspace: "w"}, start) }, add("a"), run, end("x"), run}, "a"},
		"one that runs elsewhere takes its key": {9, []step{func(s *situation) {
			s.q.LiveElsewhere(schedule.Item{UID: "x", Workspace: "w", Key: "k", Limit: 1}, start)
		}, add("a", key("k", 1)), run, add("b"), run, end("x"), run}, "b a"},
		"but no slot": {1, []step{func(s *situation) { s.q.LiveElsewhere(schedule.Item{UID: "x", Workspace: "w"}, start) }, add("a"), run}, "a"},
		"until it is taken over": {1, []step{func(s *situation) {
			s.q.LiveElsewhere(schedule.Item{UID: "x", Workspace: "w"}, start)
			s.q.Live(schedule.Item{UID: "x", Workspace: "w"}, start)
		}, add("a"), run, end("x"), run}, "a"},
		"a queued job that was found running is not started": {9, []step{add("a"), func(s *situation) { s.q.Live(schedule.Item{UID: "a", Workspace: "w"}, start) }, run}, ""},
		"two workspaces take turns":                          {1, []step{add("a"), add("b"), add("c"), add("d", in("v")), add("e", in("v")), drain}, "d a e b c"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &situation{q: schedule.New(schedule.Options{Slots: tc.slots, Ageing: time.Minute}), now: start}
			for _, step := range tc.steps {
				step(s)
			}
			if got := strings.Join(s.started, " "); got != tc.want {
				t.Errorf("started %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDueIsWhenTimeAloneLetsAJobStart(t *testing.T) {
	q := schedule.New(schedule.Options{Slots: 9})
	if at, ok := q.Due(); ok {
		t.Errorf("an empty queue is due at %v", at)
	}
	q.Upsert(schedule.Item{UID: "a", NotBefore: start.Add(time.Hour)})
	q.Upsert(schedule.Item{UID: "b", NotBefore: start.Add(time.Minute)})
	if at, ok := q.Due(); !ok || !at.Equal(start.Add(time.Minute)) {
		t.Errorf("due at %v, %v", at, ok)
	}
	q.Remove("b")
	if at, _ := q.Due(); !at.Equal(start.Add(time.Hour)) {
		t.Errorf("due at %v", at)
	}
	q.Next(start.Add(time.Hour))
	if at, ok := q.Due(); ok {
		t.Errorf("still due at %v", at)
	}
}

func TestExplain(t *testing.T) {
	one := 1
	for name, tc := range map[string]struct {
		steps    []step
		position int
		want     string // what: until, have of limit, holders
	}{
		"all slots taken":       {[]step{add("a"), run, add("x")}, 0, "Slots 1/1 [a]"},
		"others first":          {[]step{add("a"), run, add("b"), add("x")}, 1, "Others, Slots 1/1 [a]"},
		"its key is taken":      {[]step{add("a", key("k", 1)), run, add("x", key("k", 1))}, 0, "Concurrency 1/1 [a], Slots 1/1 [a]"},
		"its window is full":    {[]step{add("a", rate("r", 1, time.Minute)), run, end("a"), add("x", rate("r", 1, time.Minute))}, 0, "RateWindow +1m0s 0/1"},
		"asked to wait":         {[]step{func(s *situation) { s.q.Hold("r", start.Add(time.Hour)) }, add("x", rate("r", 1, time.Minute))}, 0, "RateHold +1h0m0s"},
		"its time has not come": {[]step{add("x", notBefore(time.Hour))}, 0, "Time +1h0m0s"},
		"behind a retry":        {[]step{add("a", inOrder("p"), notBefore(time.Minute), holdsPlace), add("x", inOrder("p"))}, 1, "InOrder +1m0s [a], Others"},
		"the workspace is full": {[]step{workspace("w", schedule.Workspace{MaxRunning: &one}), add("a"), run, add("x")}, 0, "MaxRunning 1/1 [a], Slots 1/1 [a]"},
		"suspended twice":       {[]step{workspace("w", schedule.Workspace{Suspended: true, SuspendedTypes: []v1.JobType{v1.JobTypeDeploy}}), add("x")}, 0, "WorkspaceSuspended, TypeSuspended"},
		"it starts at once":     {[]step{add("x")}, 0, ""},
		"a share of others":     {[]step{add("o", in("v")), run, add("p", in("v")), add("q", in("v")), add("a"), add("x")}, 2, "Others, Slots 1/1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &situation{q: schedule.New(schedule.Options{Slots: 1}), now: start}
			for _, step := range tc.steps {
				step(s)
			}
			e, ok := s.q.Explain("x", s.now)
			var got []string
			for _, b := range e.Blocks {
				text := [...]string{"Slots", "Others", "MaxRunning", "Concurrency", "InOrder", "RateWindow", "RateHold", "WorkspaceSuspended", "TypeSuspended", "Time"}[b.What]
				if !b.Until.IsZero() {
					text += " +" + b.Until.Sub(start).String()
				}
				if b.Limit > 0 {
					text += fmt.Sprintf(" %d/%d", b.Have, b.Limit)
				}
				if len(b.Holders) > 0 {
					text += fmt.Sprint(" ", b.Holders)
				}
				got = append(got, text)
				if b.What.Kind() == "" {
					t.Errorf("%s has no kind", text)
				}
			}
			if strings.Join(got, ", ") != tc.want || e.Position != tc.position || !ok {
				t.Errorf("position %d, %q, want %d, %q", e.Position, strings.Join(got, ", "), tc.position, tc.want)
			}
		})
	}
	if _, ok := schedule.New(schedule.Options{}).Explain("x", start); ok {
		t.Error("a job that is not queued is explained")
	}
}
