package file_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store/events"
	"jobwright.dev/store/events/file"
)

// written is a folder with one segment of three events.
func written(t testing.TB) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	archive, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, archive, event("a", "Queued", 0), event("a", "Started", 1), event("a", "Completed", 2))
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, fmt.Sprintf("%020d.jsonl", 1))
}

// TestADamagedSegment: whatever has become of a file, the archive opens, shows what is
// whole, and goes on.
func TestADamagedSegment(t *testing.T) {
	lineEnd := func(data []byte, n int) int { // behind line n
		at := 0
		for range n {
			at += bytes.IndexByte(data[at:], '\n') + 1
		}
		return at
	}
	for name, tc := range map[string]struct {
		damage func([]byte) []byte
		want   []string // oldest first
		next   uint64   // the number of the next event
	}{
		"nothing":                    {func(b []byte) []byte { return b }, []string{"Queued", "Started", "Completed"}, 4},
		"a torn last line":           {func(b []byte) []byte { return b[:len(b)-10] }, []string{"Queued", "Started"}, 3},
		"a last line without an end": {func(b []byte) []byte { return b[:len(b)-1] }, []string{"Queued", "Started"}, 3},
		"an empty file":              {func([]byte) []byte { return nil }, nil, 1},
		"zeros at the end":           {func(b []byte) []byte { return append(b, make([]byte, 100)...) }, []string{"Queued", "Started", "Completed"}, 4},
		"nothing but zeros":          {func(b []byte) []byte { return make([]byte, len(b)) }, nil, 1},
		"a flipped brace":            {func(b []byte) []byte { b[lineEnd(b, 1)] ^= 1; return b }, []string{"Queued", "Completed"}, 4},
		"a flipped line end":         {func(b []byte) []byte { b[lineEnd(b, 1)-1] = ' '; return b }, []string{"Completed"}, 3},
		"an empty line":              {func(b []byte) []byte { return slices.Insert(b, lineEnd(b, 1), '\n') }, []string{"Queued", "Started", "Completed"}, 5},
		"another program's line": {func(b []byte) []byte {
			return slices.Insert(b, lineEnd(b, 1), []byte("{\"hello\":1}\n[]\nnull\n")...)
		}, []string{"Queued", "Started", "Completed"}, 7},
		"an unknown type":         {func(b []byte) []byte { return bytes.Replace(b, []byte("Normal"), []byte("Worse!"), 1) }, []string{"Started", "Completed"}, 4},
		"an impossible time":      {func(b []byte) []byte { return bytes.Replace(b, []byte("2026-11-23"), []byte("2026-99-23"), 1) }, []string{"Started", "Completed"}, 4},
		"a field of a later day":  {func(b []byte) []byte { return bytes.Replace(b, []byte(`{"time"`), []byte(`{"x":1,"time"`), 1) }, []string{"Queued", "Started", "Completed"}, 4},
		"a line beyond all bound": {func(b []byte) []byte { return append([]byte(strings.Repeat("y", 100<<10)+"\n"), b...) }, []string{"Queued", "Started", "Completed"}, 5},
		"invalid UTF-8": {func(b []byte) []byte {
			return bytes.Replace(b, []byte("because"), []byte("b\xff\xfe\xfd\xfc\xfb\xfa"), 1)
		}, []string{"Queued", "Started", "Completed"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := written(t)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tc.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			archive := open(t, file.Options{Dir: dir})
			check := func(want []string) {
				t.Helper()
				page := list(t, archive, events.Filter{})
				var got []string
				for _, e := range slices.Backward(page.Events) {
					got = append(got, e.Reason)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if of := list(t, archive, events.Filter{Workspace: "acme", Job: "a", UID: "uid-a"}); len(of.Events) != len(want) {
					t.Errorf("found by its names: %v, want %v", words(of.Events), want)
				}
			}
			check(tc.want)
			appendAll(t, archive, event("a", "Retrying", 9))
			check(append(slices.Clone(tc.want), "Retrying"))
			if got := list(t, archive, events.Filter{Limit: 1}).Events[0].Seq; got != tc.next {
				t.Errorf("the next event is number %d, want %d", got, tc.next)
			}
			followed, err := archive.Follow(0, events.Filter{}).Next(t.Context())
			if err != nil || len(followed) != len(tc.want)+1 {
				t.Errorf("followed: %v, %v", words(followed), err)
			}
			archive.Close()
			archive = open(t, file.Options{Dir: dir})
			check(append(slices.Clone(tc.want), "Retrying"))
		})
	}
}

// TestWhatElseLiesInTheFolder is passed over.
func TestWhatElseLiesInTheFolder(t *testing.T) {
	dir, path := written(t)
	for _, name := range []string{"notes.txt", "1.jsonl", "x0000000000000000001.jsonl", "00000000000000000000.jsonl", "99999999999999999999.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("anything\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("%020d.jsonl", 7)), 0o700); err != nil {
		t.Fatal(err)
	}
	// A later segment that leads out of the folder is not followed there.
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, fmt.Sprintf("%020d.jsonl", 9))); err != nil {
		t.Fatal(err)
	}
	archive := open(t, file.Options{Dir: dir})
	appendAll(t, archive, event("b", "Queued", 0))
	page := list(t, archive, events.Filter{})
	if diff := cmp.Diff([]string{"b/Queued", "a/Completed", "a/Started", "a/Queued"}, words(page.Events)); diff != "" {
		t.Error(diff)
	}
	if page.Events[0].Seq <= 9 {
		t.Errorf("number %d was given twice", page.Events[0].Seq)
	}
	archive.Close()
	// A segment that is gone takes its events with it and nothing else.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	archive = open(t, file.Options{Dir: dir})
	if diff := cmp.Diff([]string{"b/Queued"}, words(list(t, archive, events.Filter{}).Events)); diff != "" {
		t.Error(diff)
	}
}

// FuzzAnyFileIsRead: no content keeps the archive from opening, listing, following and
// going on.
func FuzzAnyFileIsRead(f *testing.F) {
	_, path := written(f)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, data)
	f.Add(data[:len(data)/2], []byte(nil))
	f.Add([]byte(nil), data)
	f.Add([]byte("\n\n{}\n"), append(data, 0))
	f.Add([]byte(`{"time":"2026-11-23T09:39:49.123456Z","workspace":"a","job":"b","uid":"c","type":"Normal","reason":"x"}`+"\n"), []byte(`{"time":"`))
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		dir := t.TempDir()
		for first, content := range map[int][]byte{1: older, 50: newer} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d.jsonl", first)), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		archive := open(t, file.Options{Dir: dir})
		before := list(t, archive, events.Filter{})
		appendAll(t, archive, event("zz", "Queued", 0))
		after := list(t, archive, events.Filter{Limit: 1})
		if after.Seq <= before.Seq || len(after.Events) != 1 || after.Events[0].Job != "zz" {
			t.Fatalf("after %d: %d %v", before.Seq, after.Seq, words(after.Events))
		}
		follower := archive.Follow(0, events.Filter{Reason: "Queued", Job: "zz"})
		if got, err := follower.Next(t.Context()); err != nil || len(got) == 0 {
			t.Fatalf("followed: %v, %v", words(got), err)
		}
	})
}
