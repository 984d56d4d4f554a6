package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

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

// watched is the changes that one watcher has seen.
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
