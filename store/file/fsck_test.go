package file_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/vfs/vfstest"
)

// TestFsckExplainsEachRecordUpToTheDamage damages a journal of four commits in every way
// that a disk knows: fsck explains the records before the damage, one by one, and says
// where it begins; a torn end is no damage. It changes nothing.
func TestFsckExplainsEachRecordUpToTheDamage(t *testing.T) {
	// block is where block n of a segment lies, from 0: that of the opening.
	block := func(b []byte, n int) (start, end int) {
		for start = 64; ; n-- {
			end = start + (int(binary.LittleEndian.Uint32(b[start+4:]))+7)/8*8
			if n == 0 {
				return start, end
			}
			start = end
		}
	}
	all := []string{"put job acme/a", "put job acme/b", "put job acme/a", "delete job acme/b"}
	tests := map[string]struct {
		damage func(b []byte) []byte
		// records are how many are explained; cause is what the refusal says; empty: none.
		records int
		cause   string
		cut     string
	}{
		"none": {func(b []byte) []byte { return b }, 4, "", ""},
		"a flipped bit": {func(b []byte) []byte {
			start, _ := block(b, 3)
			b[start+99] ^= 8
			return b
		}, 2, "not a valid block, but the valid block", ""},
		"a flipped bit in the last commit": {func(b []byte) []byte {
			start, _ := block(b, 4)
			b[start+50] ^= 8
			return b
		}, 3, "a single bit has flipped", ""},
		"a commit that is missing": {func(b []byte) []byte {
			start, end := block(b, 2)
			return append(slices.Delete(b, start, end), make([]byte, end-start)...)
		}, 1, "block 4 follows block 2", ""},
		"two commits in the wrong order": {func(b []byte) []byte {
			from, middle := block(b, 2)
			_, to := block(b, 3)
			swapped := slices.Concat(b[middle:to], b[from:middle])
			copy(b[from:], swapped)
			return b
		}, 1, "block 4 follows block 2", ""},
		"the last commit twice": {func(b []byte) []byte {
			start, end := block(b, 4)
			copy(b[end:], bytes.Clone(b[start:end]))
			return b
		}, 4, "", ""},
		"an earlier commit once more at the end": {func(b []byte) []byte {
			start, end := block(b, 1)
			_, last := block(b, 4)
			copy(b[last:], bytes.Clone(b[start:end]))
			return b
		}, 4, "block 2 follows block 5", ""},
		"a file that ends within the last commit": {func(b []byte) []byte {
			_, end := block(b, 4)
			return b[:end-20]
		}, 3, "the file ends 20 bytes before the commit does", ""},
		"the last commit is half on disk": {func(b []byte) []byte {
			start, end := block(b, 4)
			clear(b[start+40 : end])
			return b
		}, 3, "", "the end of the last commit was not written"},
		"a file that ends within an earlier commit": {func(b []byte) []byte {
			_, end := block(b, 3)
			return b[:end-20]
		}, 2, "the file ends", ""},
		"a file of no bytes": {func([]byte) []byte { return nil }, 0, "the file has only 0 bytes", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := vfstest.NewDisk()
			s, err := openOn(d)
			if err != nil {
				t.Fatal(err)
			}
			records, err := s.Create(t.Context(), benchJob("a"))
			if err == nil {
				_, err = s.Create(t.Context(), benchJob("b"))
			}
			if err != nil {
				t.Fatal(err)
			}
			j, err := records[0].Job()
			if err != nil {
				t.Fatal(err)
			}
			j.Status.Pct = 10
			if _, err := s.UpdateStatus(t.Context(), j, store.Durable); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Delete(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "b"}, store.Preconditions{}); err != nil {
				t.Fatal(err)
			}
			d = d.AfterCrash(vfstest.Lose, nil)
			d.Edit(journalFile, test.damage)
			var told []string
			last := int64(0)
			report, err := file.Fsck(dataDir, file.FsckOptions{FS: d}, func(r file.FsckRecord) {
				told = append(told, r.Operation+" "+r.Object)
				if r.Segment != 1 || r.Offset <= last || r.Bytes == 0 || r.ResourceVersion != uint64(len(told)) {
					t.Errorf("record %+v", r)
				}
				last = r.Offset
			})
			if !slices.Equal(told, all[:test.records]) {
				t.Errorf("explained %q, want %q", told, all[:test.records])
			}
			if d.Ops() != 0 {
				t.Errorf("it has changed something: %q", d.Trace())
			}
			if test.cause != "" {
				if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), test.cause) || !strings.Contains(err.Error(), journalFile+": offset ") {
					t.Errorf("error is %v, want %q", err, test.cause)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cut := fmt.Sprint(report.Cut); test.cut == "" != (report.Cut == nil) || !strings.Contains(cut, test.cut) {
				t.Errorf("cut is %s, want %q", cut, test.cut)
			}
		})
	}
}
