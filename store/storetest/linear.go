package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"jobwright.dev/store"
)

// A history is linearizable when every call can be thought to have happened at one
// moment between its start and its end. The model keeps one key: the version the object
// is at, 0 for none.

type call int

const (
	callCreate call = iota
	callGet
	callUpdate
	callDelete
)

type input struct {
	key     int
	call    call
	version uint64
}

type output struct {
	err     error
	version uint64
}

var registerModel = porcupine.Model{
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
	Init: func() any { return uint64(0) },
	Step: func(state, in, out any) (bool, any) {
		at, i, o := state.(uint64), in.(input), out.(output)
		switch {
		case i.call == callCreate && at != 0:
			return errors.Is(o.err, store.ErrExists), at
		case i.call != callCreate && at == 0:
			return errors.Is(o.err, store.ErrNotFound), at
		case i.call == callGet:
			return o.err == nil && o.version == at, at
		case i.call == callUpdate && i.version != at:
			return errors.Is(o.err, store.ErrConflict), at
		case i.call == callDelete:
			return o.err == nil, uint64(0)
		}
		return o.err == nil && o.version > at, o.version
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " → ", out) },
}

// linearClients is how many clients work at once, linearKeys on how many objects.
const (
	linearClients = 64
	linearKeys    = 12
	linearRounds  = 60
)

func testLinearizable(t *testing.T, f *fixture) {
	f.run("64 clients on few objects, across restarts", func(c *testCase) {
		var mu sync.Mutex
		var history []porcupine.Operation
		start := time.Now()
		for life := range 3 {
			var wg sync.WaitGroup
			for client := range linearClients {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(uint64(life), uint64(client)))
					known := map[int]uint64{}
					for range linearRounds {
						in := input{key: random.IntN(linearKeys), call: call(random.IntN(4))}
						if in.version = known[in.key]; in.call == callUpdate && in.version == 0 {
							in.call = callGet
						}
						called := time.Since(start)
						out := c.perform(in, random)
						returned := time.Since(start)
						known[in.key] = out.version
						mu.Lock()
						history = append(history, porcupine.Operation{
							ClientId: client, Input: in, Call: called.Nanoseconds(), Output: out, Return: returned.Nanoseconds(),
						})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			c.reopen()
		}
		if result := porcupine.CheckOperationsTimeout(registerModel, history, time.Minute); result != porcupine.Ok {
			c.Errorf("%d calls: %s", len(history), result)
		}
	})
}

// perform makes one call.
func (c *testCase) perform(in input, random *rand.Rand) (out output) {
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
		j.Spec.Priority, j.Status.Pct = random.Int32(), random.Int32N(100)
		switch random.IntN(3) {
		case 0:
			r, out.err = c.s.Update(c.ctx, j)
		case 1:
			j.Status.Step = fmt.Sprint(random.Uint64())
			r, out.err = c.s.UpdateStatus(c.ctx, j, store.Soft)
		default:
			j.Status.Step = fmt.Sprint(random.Uint64())
			r, out.err = c.s.UpdateStatus(c.ctx, j, store.Durable)
		}
	case callDelete:
		_, out.err = c.s.Delete(c.ctx, jobKey("acme", name), store.Preconditions{})
		return out
	}
	if out.err == nil {
		out.version = r.ResourceVersion()
	}
	return out
}
