package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// A history is linearizable when every call can be thought to have happened at one
// moment between its start and its end. The model keeps one key. A call whose answer a
// crash has swallowed may have happened or not; the crash itself is a call on every key,
// after which the object may be what any soft write since the last durable one has left.

type call int

const (
	callCreate call = iota
	callGet
	callUpdate
	callDelete
	callCrash
)

type input struct {
	key     int
	call    call
	version uint64
	soft    bool
}

type output struct {
	err     error
	version uint64
}

// unknown reports whether the answer does not say if the call happened.
func (o output) unknown() bool {
	return o.err != nil && !errors.Is(o.err, store.ErrExists) && !errors.Is(o.err, store.ErrNotFound) && !errors.Is(o.err, store.ErrConflict)
}

// version is what an object may be at.
type version struct {
	// at is the version, 0 for no object; of one that was never told, it is the version
	// before, and exact is false.
	at    uint64
	exact bool
}

func (v version) exists() bool { return v.at != 0 || !v.exact }

// is reports whether the object may be at that version.
func (v version) is(at uint64) bool { return v.exact && v.at == at || !v.exact && v.at < at }

// register is what one key holds: the last is what readers see, each is what a crash may
// leave.
type register []version

var absent = version{exact: true}

// and is r with one more soft change.
func (r register) and(v version) register { return append(slices.Clone(r), v) }

// step is what may become of the register by a call with that answer; nothing: the answer
// is wrong.
func (r register) step(in input, out output) []any {
	now := r[len(r)-1]
	switch {
	case in.call == callCrash:
		after := make([]any, 0, len(r))
		for _, v := range r {
			after = append(after, register{v})
		}
		return after
	case out.unknown():
		return r.unanswered(in, now)
	case in.call == callCreate && now.exists():
		return states(errors.Is(out.err, store.ErrExists), r)
	case in.call != callCreate && !now.exists():
		return states(errors.Is(out.err, store.ErrNotFound), r)
	case in.call == callGet:
		seen := append(slices.Clone(r[:len(r)-1]), version{out.version, true})
		return states(out.err == nil && now.is(out.version), seen)
	case in.call == callUpdate && errors.Is(out.err, store.ErrConflict):
		return states(!now.exact || !now.is(in.version), r)
	case in.call == callUpdate && !now.is(in.version):
		return nil
	case in.call == callDelete:
		return states(out.err == nil, register{absent})
	}
	next := register{{out.version, true}}
	if in.soft {
		next = r.and(next[0])
	}
	return states(out.err == nil && out.version > now.at, next)
}

// unanswered is what may become of the register by a call without an answer.
func (r register) unanswered(in input, now version) []any {
	either := []any{r}
	switch {
	case in.call == callCreate && !now.exists(), in.call == callUpdate && now.exists() && now.is(in.version):
		either = append(either, r.and(version{at: max(now.at, in.version)}))
	case in.call == callDelete && now.exists():
		either = append(either, r.and(absent))
	}
	return either
}

func states(ok bool, r register) []any {
	if !ok {
		return nil
	}
	return []any{r}
}

var registerModel = (&porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[int][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(input).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init:              func() []any { return []any{register{absent}} },
	Step:              func(state, in, out any) []any { return state.(register).step(in.(input), out.(output)) },
	Equal:             func(a, b any) bool { return slices.Equal(a.(register), b.(register)) },
	DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " → ", out) },
}).ToModel()

// linearClients is how many clients work at once, linearKeys on how many objects.
const (
	linearClients = 64
	linearKeys    = 12
	linearRounds  = 60
)

func testLinearizable(t *testing.T, f *fixture) {
	f.run("64 clients on few objects, across restarts", func(c *testCase) {
		h := newHistory(c)
		for life := range 3 {
			h.live(life, linearRounds)
			c.reopen()
		}
		h.check()
	})
	if f.engine.Power == nil {
		return
	}
	// More cuts are more histories: the check of one grows with the square of its length.
	for n := range max(1, Rounds(t, "JOBWRIGHT_TEST_CUTS", crashLives)/crashLives) {
		f.run(fmt.Sprint("64 clients on few objects, across power cuts, history ", n), func(c *testCase) {
			h := newHistory(c)
			for life := n * crashLives; life < (n+1)*crashLives; life++ {
				watchers := h.watch()
				c.engine.Power.Cut(c.dir, uint64(life))
				h.live(life, linearRounds)
				h.watched(watchers)
				c.engine.Power.Return(c.s, c.dir)
				h.crash()
				c.open()
			}
			h.check()
		})
	}
}

// crashLives is how many power cuts one history has. JOBWRIGHT_TEST_CUTS says how many
// there are in all.
const crashLives = 8

// Rounds is how often a campaign goes round: rounds, or what the environment's variable
// says.
func Rounds(t *testing.T, variable string, rounds int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return rounds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: want a number from 1", variable, text)
	}
	return n
}

// history is all calls of a case with their answers.
type history struct {
	*testCase
	mu    sync.Mutex
	start time.Time
	calls []porcupine.Operation
	// unanswered are the places of calls that the present life has left without an answer.
	unanswered []int
	written    map[uint64]bool // the versions of this life's writes
	given      map[uint64]bool // and of all lives'
	cuts, lost int
	seen       uint64 // the last version that the watchers were told
}

func newHistory(c *testCase) *history {
	return &history{testCase: c, start: time.Now(), given: map[uint64]bool{}}
}

// live has clients call at random, each until it has made so many calls or one has no
// answer.
func (h *history) live(life, rounds int) {
	h.written, h.unanswered = map[uint64]bool{}, nil
	var wg sync.WaitGroup
	for client := range linearClients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(life), uint64(client)))
			known := map[int]uint64{}
			for range rounds {
				in := input{key: random.IntN(linearKeys), call: call(random.IntN(4))}
				if in.version = known[in.key]; in.call == callUpdate && in.version == 0 {
					in.call = callGet
				}
				called := time.Since(h.start)
				out := h.perform(&in, random)
				if h.note(client, in, out, called); out.unknown() {
					return
				}
				known[in.key] = out.version
			}
		})
	}
	wg.Wait()
}

func (h *history) note(client int, in input, out output, called time.Duration) {
	returned := time.Since(h.start)
	h.mu.Lock()
	defer h.mu.Unlock()
	if out.unknown() {
		h.unanswered = append(h.unanswered, len(h.calls))
	}
	h.calls = append(h.calls, porcupine.Operation{
		ClientId: client, Input: in, Call: called.Nanoseconds(), Output: out, Return: returned.Nanoseconds(),
	})
	if out.err == nil && (in.call == callCreate || in.call == callUpdate) {
		if h.given[out.version] {
			h.Errorf("version %d was given twice", out.version)
		}
		h.written[out.version], h.given[out.version] = true, true
	}
}

// crash notes a crash: what has no answer has happened before it, or never does.
func (h *history) crash() {
	at := time.Since(h.start)
	h.lost += len(h.unanswered)
	for _, i := range h.unanswered {
		h.calls[i].Return = at.Nanoseconds()
	}
	h.cuts++
	for key := range linearKeys {
		h.calls = append(h.calls, porcupine.Operation{
			ClientId: linearClients + key, Input: input{key: key, call: callCrash}, Output: output{}, Call: at.Nanoseconds() + 1, Return: time.Since(h.start).Nanoseconds() + 1,
		})
	}
}

func (h *history) check() {
	result := porcupine.CheckOperationsTimeout(registerModel, h.calls, time.Minute)
	if result != porcupine.Ok {
		h.Errorf("%d calls: %s", len(h.calls), result)
	}
	h.Logf("campaign: linearizability: %d calls of %d clients, %d power cuts, %d calls without an answer: %s", len(h.calls), linearClients, h.cuts, h.lost, result)
}

// watch begins to watch, from where the watchers of the life before have come to where
// the engine still knows that.
func (h *history) watch() []*watched {
	now := h.list(store.ListOptions{}).ResourceVersion
	since := h.seen
	if w, err := h.s.Watch(h.ctx, store.WatchOptions{Kind: v1.KindJob, Since: since}); err == nil {
		w.Close()
		if since != now {
			h.Errorf("a watch goes on from version %d, and the engine is at %d: what was between is missing", since, now)
		}
	} else if since = now; !errors.Is(err, store.ErrExpired) {
		h.Fatal(err)
	}
	var all []*watched
	for range 4 {
		all = append(all, &watched{w: h.testCase.watch(store.WatchOptions{Since: since}), since: since})
	}
	return all
}

// watched is what one watcher was told.
type watched struct {
	w     store.Watch
	since uint64
	saw   []uint64
}

// watched reads what the watchers were told in this life: each write that was
// acknowledged once, in order, to all of them the same.
func (h *history) watched(watchers []*watched) {
	last := uint64(0)
	for v := range h.written {
		last = max(last, v)
	}
	for i, w := range watchers {
		for at := w.since; at < last; {
			events, err := w.w.Next(h.ctx)
			if err != nil {
				h.Fatalf("watch: %v", err)
			}
			for _, e := range events {
				if v := e.Record.ResourceVersion(); v > at {
					at = v
				} else {
					h.Errorf("watcher %d: version %d after %d", i, v, at)
				}
				w.saw = append(w.saw, at)
			}
		}
		w.w.Close()
		for _, v := range w.saw {
			delete(h.written, v)
		}
		if i == 0 && len(h.written) > 0 {
			h.Errorf("%d writes were acknowledged, and no watcher was told of them", len(h.written))
		}
		if n := min(len(w.saw), len(watchers[0].saw)); !slices.Equal(w.saw[:n], watchers[0].saw[:n]) {
			h.Errorf("watcher %d differs from the first", i)
		}
	}
	if saw := watchers[0].saw; len(saw) > 0 {
		h.seen = saw[len(saw)-1]
	}
}

// perform makes one call.
func (c *testCase) perform(in *input, random *rand.Rand) (out output) {
	name := fmt.Sprint("k", in.key)
	var r store.Record
	switch in.call {
	case callCreate:
		var records []store.Record
		if records, out.err = c.s.Create(c.ctx, job("acme", name)); out.err == nil {
			r = records[0]
		}
	case callGet:
		r, out.err = c.s.Get(c.ctx, jobKey("acme", name))
	case callUpdate:
		j := job("acme", name)
		j.ResourceVersion = fmt.Sprint(in.version)
		j.Annotations, j.Status.Pct = map[string]string{"n": fmt.Sprint(random.Uint64())}, random.Int32N(100)
		switch random.IntN(3) {
		case 0:
			r, out.err = c.s.Update(c.ctx, j)
		case 1:
			j.Status.Step = fmt.Sprint(random.Uint64())
			in.soft = true
			r, out.err = c.s.UpdateStatus(c.ctx, j, store.Soft)
		default:
			j.Status.Step = fmt.Sprint(random.Uint64())
			r, out.err = c.s.UpdateStatus(c.ctx, j, store.Durable)
		}
	case callDelete:
		_, out.err = c.s.Delete(c.ctx, jobKey("acme", name), store.Preconditions{})
		return out
	case callCrash: // nobody calls that
	}
	if out.err == nil {
		out.version = r.ResourceVersion()
	}
	return out
}
