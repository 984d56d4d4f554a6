package schedule_test

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

// job is one of the simulation: what the schedule sees, and what it does not.
type job struct {
	schedule.Item
	class string
	runs  time.Duration
	start time.Time
	end   time.Time
}

// simulation plays jobs through a Queue on a clock of its own, and breaks off at the
// first limit that is broken.
type simulation struct {
	*testing.T
	opts     schedule.Options
	q        *schedule.Queue
	now      time.Time
	arrivals []*job // by Since
	queued   map[uuid.UUID]*job
	live     map[uuid.UUID]*job
	ends     ends
	done     []*job
	rates    map[schedule.Rate][]time.Time
	keyed    map[string]int
	overdue  func(started *job) // looks at every start
	started  func(*job)
}

func newSimulation(t *testing.T, opts schedule.Options) *simulation {
	return &simulation{
		T: t, opts: opts, q: schedule.New(opts), now: epoch, queued: map[uuid.UUID]*job{}, live: map[uuid.UUID]*job{},
		rates: map[schedule.Rate][]time.Time{}, keyed: map[string]int{}, started: func(*job) {}, overdue: func(*job) {},
	}
}

type ends []*job

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].end.Before(e[j].end) }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(*job)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (s *simulation) queue(j *job) {
	s.queued[j.UID] = j
	s.q.Upsert(j.Item)
}

// run plays until the given moment, or until nothing is left.
func (s *simulation) run(until time.Time) {
	s.Helper()
	for {
		for len(s.arrivals) > 0 && !s.arrivals[0].Since.After(s.now) {
			s.queue(s.arrivals[0])
			s.arrivals = s.arrivals[1:]
		}
		for {
			item, ok := s.q.Next(s.now)
			if !ok {
				break
			}
			s.begin(s.queued[item.UID])
		}
		next := until.Add(1)
		if len(s.arrivals) > 0 && s.arrivals[0].Since.Before(next) {
			next = s.arrivals[0].Since
		}
		if len(s.ends) > 0 && s.ends[0].end.Before(next) {
			next = s.ends[0].end
		}
		if due, ok := s.q.Due(); ok && due.Before(next) {
			next = due
		}
		if next.After(until) {
			return
		}
		s.now = next
		for len(s.ends) > 0 && !s.ends[0].end.After(s.now) {
			s.finish(heap.Pop(&s.ends).(*job))
		}
	}
}

func (s *simulation) begin(j *job) {
	s.Helper()
	j.start, j.end = s.now, s.now.Add(j.runs)
	delete(s.queued, j.UID)
	s.live[j.UID] = j
	heap.Push(&s.ends, j)
	if len(s.live) > s.opts.Slots {
		s.Fatalf("%d jobs live in %d slots", len(s.live), s.opts.Slots)
	}
	if j.Key != "" {
		if s.keyed[j.Key]++; s.keyed[j.Key] > j.Limit {
			s.Fatalf("%d jobs live with key %s, %d may", s.keyed[j.Key], j.Key, j.Limit)
		}
	}
	if r := j.Rate; r.Key != "" {
		starts := append(s.rates[r], s.now)
		s.rates[r] = starts
		if n := len(starts) - 1 - r.Limit; n >= 0 && s.now.Sub(starts[n]) < r.Per {
			s.Fatalf("%d starts with %v between %v and %v", r.Limit+1, r, starts[n], s.now)
		}
	}
	s.overdue(j)
	s.started(j)
}

func (s *simulation) finish(j *job) {
	delete(s.live, j.UID)
	s.keyed[j.Key]--
	s.q.Release(j.UID, s.now)
	s.done = append(s.done, j)
}

// restart loses the queue and builds it anew from what would be on disk.
func (s *simulation) restart() {
	s.q = schedule.New(s.opts)
	for _, j := range s.live {
		s.q.Live(j.Item, j.start)
	}
	for r, starts := range s.rates {
		for _, at := range slices.Backward(starts) {
			s.q.Started(r, at)
		}
	}
	for _, j := range s.queued {
		s.q.Upsert(j.Item)
	}
}

// lengths are run times of a mean: half of them exponential, half with the heavy tail
// that builds have (Pareto, α 2.2, cut at fifty times the mean).
func lengths(r *rand.Rand, mean time.Duration) time.Duration {
	x := r.ExpFloat64()
	if r.IntN(2) == 0 {
		const alpha = 2.2
		x = min((alpha-1)/alpha*math.Pow(1-r.Float64(), -1/alpha), 50)
	}
	return max(time.Duration(x*float64(mean)), time.Millisecond)
}

// Invariant 1: while all are backlogged the shares of slot time lie within 10 % of the
// weights, however long the jobs of each run.
func TestSharesFollowTheWeightsWhileAllAreBacklogged(t *testing.T) {
	type workspace struct {
		weight int
		mean   time.Duration
		burst  bool // its runs are long and short by turns, so that their mean says little
	}
	for name, workspaces := range map[string][]workspace{
		"with runs of one length":                {{weight: 1, mean: time.Minute}, {weight: 2, mean: time.Minute}, {weight: 3, mean: time.Minute}, {weight: 4, mean: time.Minute}},
		"with short runs against long ones":      {{weight: 1, mean: 2 * time.Second}, {weight: 1, mean: 10 * time.Minute}, {weight: 2, mean: time.Minute}},
		"with the longest where the weight is 1": {{weight: 1, mean: 10 * time.Minute}, {weight: 5, mean: 10 * time.Second}},
		"with runs that change their length":     {{weight: 1, mean: time.Minute, burst: true}, {weight: 1, mean: time.Minute}, {weight: 2, mean: 20 * time.Second, burst: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 9))
			s := newSimulation(t, schedule.Options{Slots: 16})
			n := 0
			add := func(at int) {
				w := workspaces[at]
				mean := w.mean
				if w.burst && n/200%2 == 0 {
					mean *= 10
				}
				n++
				j := &job{runs: lengths(r, mean), Item: schedule.Item{
					UID: id(fmt.Sprint("u", n)), Workspace: fmt.Sprint("w", at), Type: v1.JobTypeBuild,
					Since: s.now, Priority: int32(r.IntN(21) - 10),
				}}
				if r.IntN(3) == 0 {
					j.Key, j.Limit = fmt.Sprint(j.Workspace, "/", r.IntN(40)), 1
				}
				s.queue(j)
			}
			s.started = func(j *job) { add(int(j.Workspace[1] - '0')) }
			for at := range workspaces {
				s.q.SetWorkspace(fmt.Sprint("w", at), schedule.Workspace{Weight: workspaces[at].weight})
				for range 100 {
					add(at)
				}
			}
			const days = 2
			s.run(epoch.Add(days * 24 * time.Hour))
			held := make([]float64, len(workspaces))
			for _, j := range s.done {
				held[j.Workspace[1]-'0'] += j.runs.Seconds()
			}
			for _, j := range s.live {
				held[j.Workspace[1]-'0'] += s.now.Sub(j.start).Seconds()
			}
			total, weights := 0.0, 0
			for at, w := range workspaces {
				total += held[at]
				weights += w.weight
			}
			if use := total / (16 * days * 86400); use < .999 {
				t.Errorf("the slots were used to %.1f %% although jobs waited", 100*use)
			}
			for at, w := range workspaces {
				off := held[at]/total*float64(weights)/float64(w.weight) - 1
				t.Logf("workspace %d, weight %d, mean run %v: %+.2f %% off its share", at, w.weight, w.mean, 100*off)
				if math.Abs(off) > .1 {
					t.Errorf("workspace %d had %.3f of the slots with weight %d of %d", at, held[at]/total, w.weight, weights)
				}
			}
		})
	}
}

// Pain 9 at 95 % load, with everything at once: weights, priorities, keys, rates, lines
// and a restart. Invariants 4 to 6 and 9.
func TestWaitsAreBoundedForAllClassesAt95PercentLoad(t *testing.T) {
	const (
		slots  = 16
		jobs   = 60_000
		mean   = 30 * time.Second
		load   = .95
		ageing = 10 * time.Second
	)
	s := newSimulation(t, schedule.Options{Slots: slots, Ageing: ageing})
	r := rand.New(rand.NewPCG(9, 10))
	weights := []int{1, 2, 3, 4}
	for at, weight := range weights {
		s.q.SetWorkspace(fmt.Sprint("w", at), schedule.Workspace{Weight: weight})
	}
	at := epoch
	for n := range jobs {
		at = at.Add(time.Duration(r.ExpFloat64() * float64(mean) / (slots * load)))
		// The workspaces ask for as much as their weights give them.
		w := []int{0, 1, 1, 2, 2, 2, 3, 3, 3, 3}[r.IntN(10)]
		j := &job{runs: lengths(r, mean), Item: schedule.Item{
			UID: id(fmt.Sprint("u", n)), Workspace: fmt.Sprint("w", w), Type: v1.JobTypeBuild, Since: at,
			Priority: []int32{-10, 0, 0, 0, 10}[r.IntN(5)],
		}}
		kind := "plain"
		switch r.IntN(10) {
		case 0, 1:
			kind, j.Key, j.Limit = "keyed", fmt.Sprint(j.Workspace, "/", r.IntN(50)), 1+r.IntN(2)
		case 2:
			kind, j.Type, j.Key, j.Limit, j.InOrder = "in order", v1.JobTypeDeploy, fmt.Sprint("project", r.IntN(40)), 1, true
		case 3:
			kind, j.Type = "rated", v1.JobTypeAPICall
			// Twice what is asked for on average.
			j.Rate = schedule.Rate{Key: fmt.Sprint(j.Workspace, "/", r.IntN(3)), Limit: 4, Per: 2 * time.Minute}
		}
		j.class = fmt.Sprintf("%s priority %d %s", j.Workspace, j.Priority, kind)
		s.arrivals = append(s.arrivals, j)
	}
	s.overdue = func(started *job) {
		// Invariant 4: nothing that was free to start is overtaken by what came more than
		// the difference in priority is worth after it.
		for _, j := range s.queued {
			if j.Workspace != started.Workspace || j.Key != "" || j.Rate.Key != "" {
				continue
			}
			if allowed := time.Duration(started.Priority-j.Priority) * ageing; started.Since.Sub(j.Since) > allowed {
				t.Fatalf("%s, priority %d, overtakes %s, priority %d, which came %v before", started.UID, started.Priority, j.UID, j.Priority, started.Since.Sub(j.Since))
			}
		}
	}
	for !at.Before(s.now) {
		s.run(s.now.Add(8 * time.Hour))
		s.restart()
		for at, weight := range weights {
			s.q.SetWorkspace(fmt.Sprint("w", at), schedule.Workspace{Weight: weight})
		}
	}
	s.run(s.now.Add(24 * time.Hour))
	if len(s.done) != jobs {
		t.Fatalf("%d of %d jobs have run", len(s.done), jobs)
	}
	worst := map[string]time.Duration{}
	for _, j := range s.done {
		worst[j.class] = max(worst[j.class], j.start.Sub(j.Since))
	}
	// A class waits for the difference in priority (20 points: 200 s), for the backlog of
	// random arrivals at this load, and for its own key: 60 mean runs together. A class
	// that starved would wait for hours.
	var highest time.Duration
	for class, wait := range worst {
		if highest = max(highest, wait); wait > 60*mean {
			t.Errorf("%s waited up to %v", class, wait)
		}
	}
	t.Logf("%d classes, the longest wait %v, %v of simulated time", len(worst), highest, s.now.Sub(epoch))
	lines := map[string]*job{}
	slices.SortFunc(s.done, func(a, b *job) int { return a.start.Compare(b.start) })
	for _, j := range s.done {
		if !j.InOrder {
			continue
		}
		if before := lines[j.Key]; before != nil && before.Since.After(j.Since) {
			t.Fatalf("%s of %s starts after %s, which was submitted later", j.UID, j.Key, before.UID)
		}
		lines[j.Key] = j
	}
}

// Invariant 4 where it is needed: without ageing the job of priority 0 would never run.
func TestALowPriorityJobRunsInTheEndThoughHighOnesNeverCease(t *testing.T) {
	const ageing = 30 * time.Second
	s := newSimulation(t, schedule.Options{Slots: 4, Ageing: ageing})
	n := 0
	add := func() {
		n++
		s.queue(&job{runs: 20 * time.Second, Item: schedule.Item{UID: id(fmt.Sprint("high", n)), Workspace: "w", Priority: 100, Since: s.now}})
	}
	for range 12 {
		add()
	}
	s.started = func(j *job) {
		if j.UID != id("low") {
			add()
		}
	}
	low := &job{runs: 20 * time.Second, Item: schedule.Item{UID: id("low"), Workspace: "w", Since: epoch}}
	s.queue(low)
	s.run(epoch.Add(3 * time.Hour))
	// 100 points of priority are worth 50 minutes; the 12 jobs that came before that
	// moment, in 4 slots of 20 s, are another minute, and so is the slot it waits for.
	const earliest, latest = 100 * ageing, 100*ageing + 2*time.Minute
	if wait := low.start.Sub(epoch); low.start.IsZero() || wait < earliest || wait > latest {
		t.Errorf("it waited %v, want between %v and %v", wait, earliest, latest)
	}
}

// Invariant 2.
func TestAWorkspaceThatSleptIsOwedNothing(t *testing.T) {
	s := newSimulation(t, schedule.Options{Slots: 4})
	n := 0
	add := func(workspace string) {
		n++
		s.queue(&job{runs: 10 * time.Second, Item: schedule.Item{UID: id(fmt.Sprint("u", n)), Workspace: workspace, Since: s.now}})
	}
	held := map[string]int{}
	s.started = func(j *job) { held[j.Workspace]++; add(j.Workspace) }
	for range 10 {
		add("busy")
		add("new")
	}
	for uid, j := range s.queued {
		if j.Workspace == "new" {
			s.q.Remove(uid)
			delete(s.queued, uid)
		}
	}
	s.run(epoch.Add(10 * time.Hour))
	clear(held)
	for range 10 {
		add("new")
	}
	s.run(epoch.Add(10*time.Hour + 10*time.Minute))
	if a, b := held["busy"], held["new"]; a < 110 || a > 130 || b < 110 || b > 130 {
		t.Errorf("in the first ten minutes busy starts %d, the new one %d; want 120 each", a, b)
	}
}

// Pain 9: one tenant floods the queue; the others, which ask for less than their share,
// hardly notice.
func TestAFloodOfOneWorkspaceDelaysTheOthersByLittle(t *testing.T) {
	const slots, mean, flood = 8, 20 * time.Second, 20_000
	s := newSimulation(t, schedule.Options{Slots: slots})
	r := rand.New(rand.NewPCG(5, 5))
	for n := range flood {
		s.queue(&job{runs: lengths(r, mean), Item: schedule.Item{UID: id(fmt.Sprint("flood", n)), Workspace: "flood", Priority: 1000, Since: epoch}})
	}
	at := epoch
	for n := range 2000 {
		// Four others ask for an eighth of the slots together, of which they would get 80 %.
		at = at.Add(time.Duration(r.ExpFloat64() * float64(mean)))
		w := fmt.Sprint("w", r.IntN(4))
		s.arrivals = append(s.arrivals, &job{runs: lengths(r, mean), Item: schedule.Item{UID: id(fmt.Sprint(w, "-", n)), Workspace: w, Since: at}})
	}
	s.run(at)
	var worst, total time.Duration
	n := 0
	for _, j := range s.done {
		if j.Workspace != "flood" {
			worst, total, n = max(worst, j.start.Sub(j.Since)), total+j.start.Sub(j.Since), n+1
		}
	}
	average := total / time.Duration(n)
	t.Logf("%d jobs beside %d of the flood, wait %v on average, %v at most", n, len(s.queued), average, worst)
	// A slot comes free each mean/slots, 2.5 s, and the next one is theirs.
	if len(s.queued) < 1000 || average > mean/2 || worst > 15*mean {
		t.Errorf("%d of the flood are left; the others waited %v on average, %v at most", len(s.queued), average, worst)
	}
}
