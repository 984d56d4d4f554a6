package storetest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"

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

// version is a version at which an object may be.
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
