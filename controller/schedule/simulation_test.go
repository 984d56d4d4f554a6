package schedule_test

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/schedule"
)

// simulation runs jobs over a queue in simulated time.
type simulation struct {
	q       *schedule.Queue
	now     time.Time
	ends    endings
	arrived map[types.UID]time.Time
	length  map[types.UID]time.Duration
	class   map[types.UID]string
	number  int
	waited  map[string]time.Duration // the longest, by class
	used    map[string]time.Duration // slot time, by workspace
	queued  map[string]int           // by class
}

type ending struct {
	at        time.Time
	uid       types.UID
	workspace string
	took      time.Duration
}

type endings []ending

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(x any)        { *e = append(*e, x.(ending)) }
func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newSimulation(slots int) *simulation {
	return &simulation{
		q: schedule.New(schedule.Options{Slots: slots, Ageing: time.Minute}), now: start,
		arrived: map[types.UID]time.Time{}, length: map[types.UID]time.Duration{}, class: map[types.UID]string{},
		waited: map[string]time.Duration{}, used: map[string]time.Duration{}, queued: map[string]int{},
	}
}

// arrive queues a job of the class that will run for length.
func (s *simulation) arrive(class string, length time.Duration, item schedule.Item) {
	s.number++
	item.UID, item.Since = types.UID(fmt.Sprintf("%08d", s.number)), s.now
	s.arrived[item.UID], s.length[item.UID], s.class[item.UID] = s.now, length, class
	s.queued[class]++
	s.q.Upsert(item)
	s.start()
}

func (s *simulation) start() {
	for {
		i, ok := s.q.Next(s.now)
		if !ok {
			return
		}
		class := s.class[i.UID]
		s.queued[class]--
		s.waited[class] = max(s.waited[class], s.now.Sub(s.arrived[i.UID]))
		heap.Push(&s.ends, ending{s.now.Add(s.length[i.UID]), i.UID, i.Workspace, s.length[i.UID]})
	}
}

// until lets time pass.
func (s *simulation) until(at time.Time) {
	for len(s.ends) > 0 && !s.ends[0].at.After(at) {
		e := heap.Pop(&s.ends).(ending)
		s.now = e.at
		s.used[e.workspace] += e.took
		s.q.Release(e.uid, s.now)
		s.start()
	}
	s.now = at
}

// TestWaitsAreBoundedAtHighLoad runs ten hours at 95 % load, with jobs of very
// different length, priority and key: nobody waits beyond what ageing allows, the
// lowest priority included.
func TestWaitsAreBoundedAtHighLoad(t *testing.T) {
	const slots = 8
	r := rand.New(rand.NewPCG(1, 2))
	s := newSimulation(slots)
	classes := []struct {
		name     string
		priority int32
		mean     float64 // seconds
		share    float64
		key      bool
	}{
		{"urgent and short", 10, 2, 0.4, false},
		{"normal", 0, 20, 0.35, false},
		{"normal with a key", 0, 10, 0.15, true},
		{"low and long", -10, 120, 0.1, false},
	}
	mean := 0.0
	for _, c := range classes {
		mean += c.mean * c.share
	}
	perSecond := 0.95 * slots / mean
	end := start.Add(10 * time.Hour)
	for s.now.Before(end) {
		s.until(s.now.Add(time.Duration(r.ExpFloat64() / perSecond * float64(time.Second))))
		pick, at := r.Float64(), 0
		for pick > classes[at].share && at < len(classes)-1 {
			pick -= classes[at].share
			at++
		}
		c := classes[at]
		item := schedule.Item{Workspace: fmt.Sprint("w", r.IntN(5)), Priority: c.priority}
		if c.key {
			item.Key, item.Limit = fmt.Sprint("key-", r.IntN(20)), 1
		}
		s.arrive(c.name, time.Duration(r.ExpFloat64()*c.mean*float64(time.Second)), item)
	}
	s.until(end.Add(24 * time.Hour))
	if n := s.q.Len(); n > 0 {
		t.Errorf("%d jobs never started", n)
	}
	// Ageing lets the lowest class wait 20 minutes more than the highest; the rest is
	// the queue that a load of 95 % builds up.
	for class, limit := range map[string]time.Duration{
		"urgent and short": 10 * time.Minute, "normal": 30 * time.Minute, "normal with a key": 30 * time.Minute, "low and long": time.Hour,
	} {
		if got := s.waited[class]; got > limit {
			t.Errorf("%s: somebody waited for %v, at most %v are allowed", class, got, limit)
		}
	}
}

// TestSharesFollowTheWeights keeps three workspaces backlogged, with jobs of different
// length: the slot time they get is within 10 % of their weights.
func TestSharesFollowTheWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := newSimulation(8)
	weights := map[string]int{"one": 1, "two": 2, "five": 5}
	means := map[string]float64{"one": 30, "two": 3, "five": 10}
	names := []string{"one", "two", "five"}
	for _, name := range names {
		s.q.SetWorkspace(name, schedule.Workspace{Weight: weights[name]})
	}
	end := start.Add(10 * time.Hour)
	for s.now.Before(end) {
		for _, name := range names {
			for s.queued[name] < 20 {
				s.arrive(name, time.Duration(r.ExpFloat64()*means[name]*float64(time.Second)), schedule.Item{Workspace: name})
			}
		}
		s.until(s.now.Add(10 * time.Second))
	}
	var total time.Duration
	for _, used := range s.used {
		total += used
	}
	for _, name := range names {
		got, want := s.used[name].Seconds()/total.Seconds(), float64(weights[name])/8
		if math.Abs(got-want) > want/10 {
			t.Errorf("%s got %.3f of the slot time, its weight is %.3f of all", name, got, want)
		}
	}
}

// TestAnIdleWorkspaceIsOwedNothing lets one workspace sleep while another works, and
// then come with a burst: from then on both get the same, and nobody waits for long.
func TestAnIdleWorkspaceIsOwedNothing(t *testing.T) {
	s := newSimulation(1)
	for range 100 {
		s.arrive("busy", time.Second, schedule.Item{Workspace: "busy"})
	}
	s.until(start.Add(50 * time.Second))
	for range 100 {
		s.arrive("sleeper", time.Second, schedule.Item{Workspace: "sleeper"})
	}
	before := s.used["busy"]
	s.until(start.Add(70 * time.Second))
	if got := s.used["busy"] - before; got < 8*time.Second || got > 12*time.Second {
		t.Errorf("the busy workspace got %v of 20 s", got)
	}
}
