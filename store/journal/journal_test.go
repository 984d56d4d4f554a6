package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs/vfstest"
)

const (
	dir         = "/data/journal"
	segmentSize = 16 << 10
)

// open scans and starts the journal and returns what it holds.
func open(d *vfstest.Disk) (*journal.Journal, []string, error) {
	var got []string
	st, err := journal.Scan(d, dir, journal.From{}, func(r journal.Record) error {
		got = append(got, string(r.Payload))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	j, err := st.Start(7, journal.Options{SegmentSize: segmentSize, NoSpare: true})
	return j, dedup(got), err
}

// dedup drops the records that an opening has written again.
func dedup(records []string) (unique []string) {
	for _, r := range records {
		if !slices.Contains(unique, r) {
			unique = append(unique, r)
		}
	}
	return unique
}

// payload makes a record of n bytes that names its number.
func payload(i, n int) string {
	return fmt.Sprintf("record %d %s", i, strings.Repeat("x", n))
}

// appendRecords commits one block of records.
func appendRecords(j *journal.Journal, records ...string) error {
	var b journal.Block
	for _, r := range records {
		b.Add([]byte(r))
	}
	if !j.Fits(&b) {
		if err := j.Rotate(7, &b); err != nil {
			return err
		}
	}
	_, err := j.Append(&b)
	return err
}

// workload appends blocks of several sizes, rotates, closes and opens again. It
// returns the records that were acknowledged, and the ones of the block that was under
// way when it ended.
func workload(d *vfstest.Disk) (acknowledged, inFlight []string, err error) {
	i := 0
	for range 2 {
		j, _, err := open(d)
		if err != nil {
			return acknowledged, nil, err
		}
		for _, size := range []int{10, 700, 3000, 40, 9000, 20000, 10} {
			block := []string{payload(i, size), payload(i+1, size/2)}
			i += 2
			if err := appendRecords(j, block...); err != nil {
				return acknowledged, block, err
			}
			acknowledged = append(acknowledged, block...)
		}
		if err := j.Close(); err != nil {
			return acknowledged, nil, err
		}
	}
	return acknowledged, nil, nil
}

func TestACrashAtEveryWriteLosesNothingAcknowledged(t *testing.T) {
	d := vfstest.NewDisk()
	if _, _, err := workload(d); err != nil {
		t.Fatal(err)
	}
	points := 0
	for n := 1; n <= d.Ops(); n++ {
		for seed := range uint64(8) {
			crashed := vfstest.NewDisk()
			crashed.CrashAt(n)
			acknowledged, inFlight, _ := workload(crashed)
			aftermath := []vfstest.Aftermath{vfstest.Lose, vfstest.Keep, vfstest.Tear}[min(seed, 2)]
			after := crashed.AfterCrash(aftermath, rand.New(rand.NewPCG(seed, uint64(n))))
			// A second crash while the first one is repaired changes nothing.
			again := after.AfterCrash(vfstest.Keep, nil)
			again.CrashAt(int(seed) + 1)
			if j, _, err := open(again); err == nil {
				_ = appendRecords(j, "lost?")
			}
			for name, disk := range map[string]*vfstest.Disk{"one crash": after, "two": again.AfterCrash(vfstest.Lose, nil)} {
				points++
				j, got, err := open(disk)
				if err != nil {
					t.Fatalf("%s, operation %d (%s), seed %d: %v", name, n, d.Trace()[n-1], seed, err)
				}
				got = slices.DeleteFunc(got, func(r string) bool { return r == "lost?" })
				if !slices.Equal(got, acknowledged) && !slices.Equal(got, append(slices.Clone(acknowledged), inFlight...)) {
					t.Fatalf("%s, operation %d (%s), seed %d: got %d records, acknowledged were %d", name, n, d.Trace()[n-1], seed, len(got), len(acknowledged))
				}
				if err := appendRecords(j, "after"); err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if _, got, err = open(disk); err != nil || got[len(got)-1] != "after" {
					t.Fatalf("the journal does not go on: %v", err)
				}
			}
		}
	}
	t.Logf("campaign: journal: %d crashes at %d writes, losses: 0", points, d.Ops())
}

func TestAFaultAtEveryWriteLosesNothingAcknowledged(t *testing.T) {
	d := vfstest.NewDisk()
	if _, _, err := workload(d); err != nil {
		t.Fatal(err)
	}
	injected := map[string]int{}
	for n := 1; n <= d.Ops(); n++ {
		for _, fault := range []vfstest.Fault{{Err: syscall.EIO}, {Err: syscall.EIO, Short: true}, {Err: syscall.ENOSPC}, {Err: syscall.ENOSPC, Short: true}} {
			if fault.Short && !strings.HasPrefix(d.Trace()[n-1], "write ") {
				continue
			}
			faulty := vfstest.NewDisk()
			faulty.FailAt(n, fault)
			acknowledged, inFlight, _ := workload(faulty)
			count(injected, faulty)
			for _, disk := range []*vfstest.Disk{faulty, faulty.AfterCrash(vfstest.Lose, nil)} {
				if disk == faulty {
					disk = faulty.AfterCrash(vfstest.Keep, nil)
				}
				_, got, err := open(disk)
				if err != nil {
					t.Fatalf("operation %d (%s): %v", n, d.Trace()[n-1], err)
				}
				if !slices.Equal(got, acknowledged) && !slices.Equal(got, append(slices.Clone(acknowledged), inFlight...)) {
					t.Fatalf("operation %d (%s): got %d records, acknowledged were %d", n, d.Trace()[n-1], len(got), len(acknowledged))
				}
			}
		}
	}
	t.Logf("campaign: journal: faults %v, losses: 0", injected)
}

// count adds the faults that a disk has had.
func count(injected map[string]int, d *vfstest.Disk) {
	for kind, n := range d.Failed() {
		injected[kind] += n
	}
}

// TestAReadThatFailsIsToldAndNothingIsChanged fails every read of a journal that is
// opened, one after the other.
func TestAReadThatFailsIsToldAndNothingIsChanged(t *testing.T) {
	d := vfstest.NewDisk()
	acknowledged, _, err := workload(d)
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	for n := 1; ; n++ {
		faulty := d.AfterCrash(vfstest.Lose, nil)
		at := 0
		faulty.FailWhen(func(op, _ string) (vfstest.Fault, bool) {
			if op == "read" {
				at++
			}
			return vfstest.Fault{Err: syscall.EIO}, op == "read" && at == n
		})
		_, _, err := open(faulty)
		if len(faulty.Failed()) == 0 {
			break // it opens with fewer reads
		}
		reads++
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), ".journal") {
			t.Errorf("read %d: error is %v", n, err)
		}
		faulty.FailWhen(nil)
		if _, got, err := open(faulty); err != nil || !slices.Equal(got, acknowledged) {
			t.Errorf("read %d: afterwards %d records, want %d: %v", n, len(got), len(acknowledged), err)
		}
	}
	t.Logf("campaign: journal: faults map[read: %v:%d], losses: 0", syscall.EIO, reads)
}

func TestAfterAnErrorNothingIsAppended(t *testing.T) {
	d := vfstest.NewDisk()
	j, _, err := open(d)
	if err != nil {
		t.Fatal(err)
	}
	d.FailAt(d.Ops()+2, vfstest.Fault{Err: errors.New("input/output error")}) // the fdatasync
	for range 2 {
		if err := appendRecords(j, "a"); !errors.Is(err, journal.ErrBroken) {
			t.Errorf("error is %v", err)
		}
	}
	if err := j.Rotate(1, nil); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("error is %v", err)
	}
}

func TestARotationThatFailsCanBeRepeated(t *testing.T) {
	d := vfstest.NewDisk()
	j, _, err := open(d)
	if err != nil {
		t.Fatal(err)
	}
	for step := 1; step <= 7; step++ {
		d.FailAt(d.Ops()+step, vfstest.Fault{Err: errors.New("no space left on device")})
		if err := j.Rotate(1, nil); err == nil {
			t.Fatalf("step %d did not fail", step)
		}
		if err := appendRecords(j, fmt.Sprint("step ", step)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Rotate(1, nil); err != nil {
		t.Fatal(err)
	}
	if err := appendRecords(j, "end"); err != nil {
		t.Fatal(err)
	}
	if _, got, err := open(d.AfterCrash(vfstest.Lose, nil)); err != nil || len(got) != 8 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestABlockThatIsTooLargeForTheSegmentGetsOneOfItsSize(t *testing.T) {
	d := vfstest.NewDisk()
	j, _, err := open(d)
	if err != nil {
		t.Fatal(err)
	}
	want := payload(1, 5*segmentSize)
	if err := appendRecords(j, want); err != nil {
		t.Fatal(err)
	}
	if _, got, err := open(d.AfterCrash(vfstest.Lose, nil)); err != nil || !slices.Equal(got, []string{want}) {
		t.Error(err)
	}
}

// TestDamage: what is neither an acknowledged state nor a torn end is refused, and
// every torn end is cut.
func TestDamage(t *testing.T) {
	first, second := dir+"/"+journal.SegmentName(1), dir+"/"+journal.SegmentName(2)
	flip := func(offset int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[offset] ^= 0x10
			return b
		}
	}
	// blocks are the offsets of the blocks of a segment.
	blocks := func(b []byte) (at []int) {
		for o := 64; o+8 < len(b) && b[o] == 2; {
			at = append(at, o)
			o += (int(binary.LittleEndian.Uint32(b[o+4:])) + 7) / 8 * 8
		}
		return at
	}
	lastBlock := func(b []byte) int {
		at := blocks(b)
		return at[len(at)-1]
	}
	end := func(b []byte) int {
		o := lastBlock(b)
		return o + int(binary.LittleEndian.Uint32(b[o+4:]))
	}
	tests := map[string]struct {
		file string
		edit func([]byte) []byte
		// cause is what the refusal says; empty: the journal opens with want records.
		cause string
		want  int
	}{
		"nothing":                            {second, func(b []byte) []byte { return b }, "", 6},
		"a bit of the first segment's magic": {first, flip(0), "header is not valid", 0},
		"a bit of a header's base":           {second, flip(33), "header is not valid", 0},
		"a header of zeros, with blocks":     {second, func(b []byte) []byte { clear(b[:64]); return b }, "header is not valid", 0},
		"a block in the middle": {first, func(b []byte) []byte {
			b[blocks(b)[1]+40] ^= 1
			return b
		}, "a later segment follows", 0},
		"a block in the middle of the last segment": {second, func(b []byte) []byte {
			b[blocks(b)[0]+30] ^= 3
			return b
		}, "follows at offset", 0},
		"a sector of zeros in the middle of the last segment": {second, func(b []byte) []byte {
			o := blocks(b)[1]/512*512 + 512
			clear(b[o : o+512])
			return b
		}, "follows at offset", 0},
		"one bit of the last block's payload": {second, func(b []byte) []byte {
			b[lastBlock(b)+200] ^= 4
			return b
		}, "a single bit", 0},
		"one bit of the last block's length": {second, func(b []byte) []byte {
			b[lastBlock(b)+5] ^= 2
			return b
		}, "a single bit", 0},
		"one bit of the last block's magic": {second, func(b []byte) []byte {
			b[lastBlock(b)+1] ^= 2
			return b
		}, "a single bit", 0},
		"one bit of the last block's checksum": {second, func(b []byte) []byte {
			b[end(b)-6] ^= 2
			return b
		}, "a single bit", 0},
		"one bit of the last block's end mark": {second, func(b []byte) []byte {
			b[end(b)-1] ^= 2
			return b
		}, "a single bit", 0},
		"several bits of the last block": {second, func(b []byte) []byte {
			copy(b[lastBlock(b)+100:], "overwritten by somebody")
			return b
		}, "a complete block", 0},
		"something that is no block behind the last": {second, func(b []byte) []byte {
			copy(b[(end(b)+7)/8*8:], "something else")
			return b
		}, "neither a block nor zeros", 0},
		"an impossible length": {second, func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[lastBlock(b)+4:], 1<<31|77)
			return b
		}, "impossible length", 0},
		"the last block's first sector unwritten": {second, func(b []byte) []byte {
			o := lastBlock(b)
			clear(b[o : o/512*512+512])
			return b
		}, "", 5},
		"a sector of the last block unwritten": {second, func(b []byte) []byte {
			o := lastBlock(b)/512*512 + 1024
			clear(b[o : o+512])
			return b
		}, "", 5},
		"the last block's end unwritten": {second, func(b []byte) []byte {
			clear(b[end(b)-50 : end(b)])
			return b
		}, "", 5},
		"the file ends within the last block": {second, func(b []byte) []byte { return b[:end(b)-50] }, "the file ends 50 bytes before", 0},
		"the file ends behind the last block": {second, func(b []byte) []byte { return b[:(end(b)+7)/8*8] }, "", 6},
		"the last block twice": {second, func(b []byte) []byte {
			o, e := lastBlock(b), end(b)
			copy(b[(e+7)/8*8:], slices.Clone(b[o:e]))
			return b
		}, "", 6},
		"the first block again at the end": {second, func(b []byte) []byte {
			o := blocks(b)
			copy(b[(end(b)+7)/8*8:], slices.Clone(b[o[0]:o[1]]))
			return b
		}, "follows block", 0},
		"a segment of zeros":             {second, func(b []byte) []byte { return make([]byte, len(b)) }, "header is not valid: zeros", 0},
		"a segment of no bytes":          {second, func([]byte) []byte { return nil }, "header is not valid: the file has only 0 bytes", 0},
		"a first segment of no bytes":    {first, func([]byte) []byte { return nil }, "header is not valid: the file has only 0 bytes", 0},
		"a segment that ends too soon":   {second, func(b []byte) []byte { return b[:63] }, "header is not valid: the file has only 63 bytes", 0},
		"a segment of a header, no more": {second, func(b []byte) []byte { return b[:64] }, "", 3},
		"a newer format": {second, func(b []byte) []byte {
			b[8] = 2
			binary.LittleEndian.PutUint32(b[60:], journal.Checksum(b[:60]))
			return b
		}, "newer version", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := vfstest.NewDisk()
			j, _, err := open(d)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 6 {
				if i == 3 {
					if err := j.Rotate(9, nil); err != nil {
						t.Fatal(err)
					}
				}
				if err := appendRecords(j, payload(i, 2000)); err != nil {
					t.Fatal(err)
				}
			}
			d = d.AfterCrash(vfstest.Lose, nil)
			d.Edit(test.file, test.edit)
			before := d.Content(test.file)
			_, got, err := open(d)
			if test.cause == "" {
				if err != nil || len(got) != test.want {
					t.Errorf("got %d records, want %d: %v", len(got), test.want, err)
				}
				return
			}
			var corrupt *journal.Corrupt
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), test.cause) || corrupt.File != test.file || corrupt.Advice == "" {
				t.Fatalf("error is %v, want %q", err, test.cause)
			}
			if !slices.Equal(before, d.Content(test.file)) || d.Ops() != 0 {
				t.Error("something was changed")
			}
		})
	}
}

func TestEverySingleBitFlipIsRefusedOrHarmless(t *testing.T) {
	d := vfstest.NewDisk()
	j, _, err := open(d)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{payload(1, 100), payload(2, 600)}
	for _, r := range want {
		if err := appendRecords(j, r); err != nil {
			t.Fatal(err)
		}
	}
	clean := d.AfterCrash(vfstest.Lose, nil)
	name := dir + "/" + journal.SegmentName(1)
	const bits = 8 * 1200
	refused := 0
	for bit := range bits {
		d := clean.AfterCrash(vfstest.Lose, nil)
		d.Edit(name, func(b []byte) []byte {
			b[bit/8] ^= 1 << (bit % 8)
			return b
		})
		_, got, err := open(d)
		var corrupt *journal.Corrupt
		if err != nil && !errors.As(err, &corrupt) || err == nil && !slices.Equal(got, want) {
			t.Fatalf("bit %d: got %d records, %v", bit, len(got), err)
		}
		if err != nil {
			refused++
		}
	}
	t.Logf("campaign: journal: %d bits flipped, %d refused, the others in what was never written, losses: 0", bits, refused)
}

func TestAMissingSegmentIsRefused(t *testing.T) {
	for missing := uint64(1); missing <= 2; missing++ {
		d := vfstest.NewDisk()
		j, _, err := open(d)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := errors.Join(appendRecords(j, "a"), j.Rotate(0, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Remove(dir + "/" + journal.SegmentName(missing)); err != nil {
			t.Fatal(err)
		}
		var corrupt *journal.Corrupt
		if _, _, err := open(d); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("segment %d: error is %v", missing, err)
		}
	}
}

func FuzzScan(f *testing.F) {
	d := vfstest.NewDisk()
	j, _, err := open(d)
	if err != nil {
		f.Fatal(err)
	}
	if err := appendRecords(j, payload(1, 20), payload(2, 3)); err != nil {
		f.Fatal(err)
	}
	name := dir + "/" + journal.SegmentName(1)
	f.Add(d.Content(name)[:300])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		d := vfstest.NewDisk()
		if err := d.MkdirAll(dir); err != nil {
			t.Fatal(err)
		}
		file, err := d.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(content, 0); err != nil {
			t.Fatal(err)
		}
		// Whatever the bytes are: an answer, and after a start a journal that works.
		j, _, err := open(d)
		if err != nil {
			return
		}
		if err := appendRecords(j, "more"); err != nil {
			t.Fatal(err)
		}
		if _, got, err := open(d); err != nil || got[len(got)-1] != "more" {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}
