package file_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/vfs/vfstest"
)

const dataDir = "/data"

// openOn opens a store on a disk in memory; it rewrites jobs.json only when told to.
func openOn(d *vfstest.Disk) (*file.Store, error) {
	return file.Open(dataDir, file.Options{FS: d, SegmentSize: 32 << 10, IdleDelay: time.Hour})
}

// state is every object's encoding by its key.
type state map[string]string

func stateOf(s *file.Store) (state, error) {
	st := state{}
	for _, kind := range v1.Kinds() {
		page, err := s.List(context.Background(), store.ListOptions{Kind: kind.Name})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			st[r.Key().String()] = string(r.AppendJSON(nil))
		}
	}
	return st, nil
}

// history is what a workload has done: the state after each step, and how many steps
// must have survived.
type history struct {
	states []state
	// safe is the last step that was acknowledged as durable; all before it are safe
	// with it.
	safe int
	// seen is the highest version that was handed out.
	seen uint64
}

// step notes that a write was acknowledged.
func (h *history) step(r store.Record, deleted bool, d store.Durability) {
	next := maps.Clone(h.states[len(h.states)-1])
	if deleted {
		delete(next, r.Key().String())
	} else {
		next[r.Key().String()] = string(r.AppendJSON(nil))
	}
	h.states = append(h.states, next)
	h.seen = max(h.seen, r.ResourceVersion())
	if d == store.Durable {
		h.safe = len(h.states) - 1
	}
}

// crashWorkload takes jobs through their lives, with soft and durable writes, rewrites
// of jobs.json and a restart in between. It stops at the first error.
func crashWorkload(d *vfstest.Disk) (h *history, attempted []string) {
	ctx := context.Background()
	h = &history{states: []state{{}}}
	for life := range 2 {
		s, err := openOn(d)
		if err != nil {
			return h, attempted
		}
		for i := range 8 {
			name := fmt.Sprintf("job-%d-%d", life, i)
			attempted = []string{"job acme/" + name}
			records, err := s.Create(ctx, benchJob(name))
			if err != nil {
				return h, attempted
			}
			h.step(records[0], false, store.Durable)
			attempted = nil
			r := records[0]
			for n := range 4 {
				j, err := r.Job()
				if err != nil {
					return h, attempted
				}
				d := store.Durability(n % 2)
				j.Status.Pct += 7
				j.Status.Message = strings.Repeat("m", 100*n)
				attempted = []string{"job acme/" + name}
				if r, err = s.UpdateStatus(ctx, j, d); err != nil {
					return h, attempted
				}
				h.step(r, false, d)
			}
			switch i {
			case 2, 6:
				attempted = []string{"job acme/" + name}
				last, err := s.Delete(ctx, r.Key(), store.Preconditions{})
				if err != nil {
					return h, attempted
				}
				h.step(last, true, store.Durable)
			case 4:
				attempted = nil
				if err := s.Checkpoint(ctx); err != nil && d.Crashed() {
					return h, attempted
				}
			}
		}
		attempted = nil
		if err := s.Close(); err != nil {
			return h, attempted
		}
		h.safe = len(h.states) - 1
	}
	return h, attempted
}

// checkAfter opens what a crash has left and compares it with the history.
func checkAfter(t *testing.T, d *vfstest.Disk, h *history, attempted []string) {
	t.Helper()
	s, err := openOn(d)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	got, err := stateOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(h.states[h.safe:], func(want state) bool { return maps.Equal(got, want) }) &&
		!equalBut(got, h.states[len(h.states)-1], attempted) {
		t.Fatalf("the state is none that was acknowledged: %d objects, safe were %d", len(got), len(h.states[h.safe]))
	}
	if h.seen%8 == 0 { // it reads hundreds of lists
		storetest.Check(t, s)
	}
	records, err := s.Create(t.Context(), benchJob("afterwards"))
	if err != nil {
		t.Fatal(err)
	}
	if v := records[0].ResourceVersion(); v <= h.seen {
		t.Fatalf("version %d was given twice: %d was seen before the crash", v, h.seen)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openOn(d); err != nil {
		t.Fatalf("open again: %v", err)
	}
	if _, err := s.Get(t.Context(), records[0].Key()); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

// equalBut compares two states without the objects whose write was under way.
func equalBut(got, want state, attempted []string) bool {
	got, want = maps.Clone(got), maps.Clone(want)
	for _, key := range attempted {
		delete(got, key)
		delete(want, key)
	}
	return maps.Equal(got, want)
}

func TestACrashAtEveryWriteKeepsTheAcknowledgedState(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 3
	}
	d := vfstest.NewDisk()
	if h, _ := crashWorkload(d); h.safe != len(h.states)-1 {
		t.Fatal("the workload does not run to its end")
	}
	points := 0
	for n := 1; n <= d.Ops(); n++ {
		for seed := range seeds {
			crashed := vfstest.NewDisk()
			crashed.CrashAt(n)
			h, attempted := crashWorkload(crashed)
			after := crashed.AfterCrash([]vfstest.Aftermath{vfstest.Lose, vfstest.Keep, vfstest.Tear}[min(seed, 2)], rand.New(rand.NewPCG(seed, uint64(n))))
			points++
			if !t.Run(fmt.Sprintf("operation %d %s seed %d", n, strconv.Quote(d.Trace()[n-1]), seed), func(t *testing.T) {
				checkAfter(t, after, h, attempted)
			}) {
				return
			}
		}
	}
	t.Logf("campaign: store: %d crashes at %d writes, losses: 0", points, d.Ops())
}

func TestAFaultAtEveryWriteKeepsTheAcknowledgedState(t *testing.T) {
	d := vfstest.NewDisk()
	crashWorkload(d)
	faults, injected := 0, map[string]int{}
	for n := 1; n <= d.Ops(); n++ {
		for kind, fault := range map[string]vfstest.Fault{
			"EIO": {Err: syscall.EIO}, "ENOSPC": {Err: syscall.ENOSPC}, "short": {Err: syscall.ENOSPC, Short: true},
		} {
			if fault.Short && !strings.HasPrefix(d.Trace()[n-1], "write ") {
				continue
			}
			faulty := vfstest.NewDisk()
			faulty.FailAt(n, fault)
			h, attempted := crashWorkload(faulty)
			for kind, n := range faulty.Failed() {
				injected[kind] += n
			}
			for aftermath, name := range map[vfstest.Aftermath]string{vfstest.Lose: "lose", vfstest.Keep: "keep"} {
				faults++
				if !t.Run(fmt.Sprintf("operation %d %s %s %s", n, d.Trace()[n-1], kind, name), func(t *testing.T) {
					checkAfter(t, faulty.AfterCrash(aftermath, nil), h, attempted)
				}) {
					return
				}
			}
		}
	}
	t.Logf("campaign: store: faults %v, %d aftermaths, losses: 0", injected, faults)
}

// TestAReadThatFailsIsToldAndHidesNothing fails every read of an opening, one after the
// other, and then those of a store that is open: an object that cannot be read is not
// taken for one that is not there.
func TestAReadThatFailsIsToldAndHidesNothing(t *testing.T) {
	d := vfstest.NewDisk()
	h, _ := crashWorkload(d)
	want := h.states[len(h.states)-1]
	reads := 0
	for n := 1; ; n++ {
		faulty := d.AfterCrash(vfstest.Lose, nil)
		before, at := faulty.Content(dataDir+"/jobs.json"), 0
		faulty.FailWhen(func(op, _ string) (vfstest.Fault, bool) {
			if op == "read" {
				at++
			}
			return vfstest.Fault{Err: syscall.EIO}, op == "read" && at == n
		})
		s, err := openOn(faulty)
		faulty.FailWhen(nil)
		if len(faulty.Failed()) == 0 {
			_ = s.Close()
			break // it opens with fewer reads
		}
		reads++
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), dataDir+"/j") || !slices.Equal(before, faulty.Content(dataDir+"/jobs.json")) {
			t.Errorf("read %d: error is %v", n, err)
		}
		if s, err = openOn(faulty); err != nil {
			t.Fatal(err)
		}
		if got, err := stateOf(s); err != nil || !maps.Equal(got, want) {
			t.Errorf("read %d: afterwards %d objects, want %d: %v", n, len(got), len(want), err)
		}
		_ = s.Close()
	}
	s, err := openOn(d)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	d.FailWhen(func(op, _ string) (vfstest.Fault, bool) { return vfstest.Fault{Err: syscall.EIO}, op == "read" })
	if _, err := s.Get(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "job-0-1"}); !errors.Is(err, syscall.EIO) {
		t.Errorf("get: %v", err)
	}
	if _, err := stateOf(s); !errors.Is(err, syscall.EIO) {
		t.Errorf("list: %v", err)
	}
	if err := s.Checkpoint(t.Context()); err == nil {
		t.Error("jobs.json was rewritten without what it should hold")
	}
	d.FailWhen(nil)
	if got, err := stateOf(s); err != nil || !maps.Equal(got, want) {
		t.Errorf("afterwards %d objects, want %d: %v", len(got), len(want), err)
	}
	t.Logf("campaign: store: faults map[read: %v:%d], losses: 0", syscall.EIO, reads)
}

func TestAWriteErrorMakesTheStoreReadOnly(t *testing.T) {
	d := vfstest.NewDisk()
	s, err := openOn(d)
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Create(t.Context(), benchJob("before"))
	if err != nil || s.Health() != nil {
		t.Fatal(err, s.Health())
	}
	d.FailAt(d.Ops()+2, vfstest.Fault{Err: errors.New("input/output error")}) // the fdatasync
	for _, name := range []string{"a", "b"} {
		if _, err := s.Create(t.Context(), benchJob(name)); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("create %s: %v", name, err)
		}
	}
	if !errors.Is(s.Health(), store.ErrReadOnly) || !strings.Contains(s.Health().Error(), "input/output error") {
		t.Errorf("health: %v", s.Health())
	}
	if _, err := s.Delete(t.Context(), records[0].Key(), store.Preconditions{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("delete: %v", err)
	}
	if got, err := s.Get(t.Context(), records[0].Key()); err != nil || got.ResourceVersion() != records[0].ResourceVersion() {
		t.Errorf("reads do not go on: %v", err)
	}
	storetest.Check(t, s)
	if sum, err := s.Backup(t.Context(), io.Discard); err != nil || sum.Objects != 1 {
		t.Errorf("backup: %+v, %v", sum, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if s, err = openOn(d); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), benchJob("after")); err != nil || s.Health() != nil {
		t.Errorf("after a restart: %v, %v", err, s.Health())
	}
}

func TestAFullDiskRefusesNewWorkOnly(t *testing.T) {
	d := vfstest.NewDisk()
	s, err := file.Open(dataDir, file.Options{FS: d, IdleDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Create(t.Context(), benchJob("a"), benchJob("b"))
	if err != nil {
		t.Fatal(err)
	}
	d.SetFree(100 << 20)
	for n := 0; err == nil; n++ { // the disk is asked ten times a second
		_, err = s.Create(t.Context(), benchJob(fmt.Sprint("c", n)))
	}
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "100 MiB") {
		t.Errorf("create: %v", err)
	}
	j, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	j.Status.Phase = v1.JobRunning
	if _, err := s.UpdateStatus(t.Context(), j, store.Durable); err != nil {
		t.Errorf("status: %v", err)
	}
	if _, err := s.Delete(t.Context(), records[1].Key(), store.Preconditions{}); err != nil {
		t.Errorf("delete: %v", err)
	}
}
