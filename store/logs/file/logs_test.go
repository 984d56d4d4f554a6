package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store/logs"
	"jobwright.dev/store/logs/file"
)

const stdout logs.Stream = "stdout"

var (
	ref = logs.Ref{Workspace: "acme", Job: "build-1", UID: "u1"}
	now = time.Date(2026, 11, 23, 9, 39, 49, 123456000, time.UTC)
)

func open(t *testing.T, maxBytes int64) (*file.Archive, string) {
	t.Helper()
	dir := t.TempDir()
	archive, err := file.Open(dir, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	return archive, dir
}

func write(t *testing.T, archive *file.Archive, lines ...string) {
	t.Helper()
	w, err := archive.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		w.Line(now, stdout, line)
	}
	if err := w.Close(now); err != nil {
		t.Fatal(err)
	}
}

func texts(entries []logs.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	long := strings.Repeat("ä", logs.MaxLine/2+1)
	cases := map[string]struct {
		lines []string
		want  []string
	}{
		"lines in order":                      {lines: []string{"one", "two"}, want: []string{"one", "two"}},
		"an empty line stays a line":          {lines: []string{""}, want: []string{""}},
		"line ends split":                     {lines: []string{"one\r\ntwo\n\nthree"}, want: []string{"one", "two", "", "three"}},
		"spaces and unicode stay as they are": {lines: []string{"  ✓ done  "}, want: []string{"  ✓ done  "}},
		"invalid UTF-8 is replaced":           {lines: []string{"a\xffb"}, want: []string{"a\uFFFDb"}},
		"a long line is split at a character": {lines: []string{long}, want: []string{long[:logs.MaxLine], "ä"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			archive, _ := open(t, 0)
			write(t, archive, tc.lines...)
			r := archive.Open(ref)
			defer r.Close()
			got, err := r.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" {
				t.Error(diff)
			}
			if !got[0].Time.Equal(now) || got[0].Stream != stdout {
				t.Errorf("entry = %+v, want time %v and stream stdout", got[0], now)
			}
		})
	}
}

func TestReadingGoesOnFromAnOffset(t *testing.T) {
	archive, _ := open(t, 0)
	write(t, archive, "one", "two", "three")
	all := archive.Open(ref)
	defer all.Close()
	entries, err := all.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		offset int64
		want   []string
	}{
		"from the start":              {offset: 0, want: []string{"one", "two", "three"}},
		"after an entry":              {offset: entries[0].Offset, want: []string{"two", "three"}},
		"inside an entry: after it":   {offset: entries[0].Offset + 3, want: []string{"three"}},
		"at the end: nothing yet":     {offset: entries[2].Offset, want: nil},
		"behind the end: nothing yet": {offset: entries[2].Offset + 100, want: nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := archive.Open(ref)
			defer r.Close()
			if err := r.From(t.Context(), tc.offset); err != nil {
				t.Fatal(err)
			}
			got, err := r.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTail(t *testing.T) {
	archive, _ := open(t, 0)
	var lines []string
	for range 5000 {
		lines = append(lines, strings.Repeat("x", 40))
	}
	lines = append(lines, "a", "b", "c")
	write(t, archive, lines...)
	for n, want := range map[int]int{0: 0, 1: 1, 3: 3, 2000: 2000, 5003: 5003, 9999: 5003} {
		r := archive.Open(ref)
		if err := r.Tail(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			entries, err := r.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == 0 {
				break
			}
			got = append(got, texts(entries)...)
		}
		r.Close()
		if len(got) != want {
			t.Errorf("Tail(%d) gave %d lines, want %d", n, len(got), want)
		}
		if want > 0 && got[len(got)-1] != "c" {
			t.Errorf("Tail(%d) ends with %q, want c", n, got[len(got)-1])
		}
	}
}

func TestAFollowerSeesEachLineOnceAndInOrder(t *testing.T) {
	archive, _ := open(t, 0)
	r := archive.Open(ref) // before there is a file
	defer r.Close()
	w, err := archive.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, line := range []string{"one", "two", "three", "four"} {
			w.Line(now, stdout, line)
		}
		w.Close(now)
	}()
	var got []string
	for len(got) < 4 {
		entries, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, texts(entries)...)
	}
	if diff := cmp.Diff([]string{"one", "two", "three", "four"}, got); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the end with a canceled context: %v", err)
	}
}

func TestATornLineIsNeverReturnedAndTheNextWriteEndsIt(t *testing.T) {
	archive, dir := open(t, 0)
	write(t, archive, "one")
	file := filepath.Join(dir, "acme", "build-1-u1.log")
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("2026-11-23T09:3"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r := archive.Open(ref)
	defer r.Close()
	got, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one"}, texts(got)); diff != "" {
		t.Error(diff)
	}
	write(t, archive, "two")
	got, err = r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"two"}, texts(got)); diff != "" {
		t.Error(diff)
	}
}

func TestALogIsBounded(t *testing.T) {
	archive, _ := open(t, 200)
	write(t, archive, "one", strings.Repeat("x", 300), "two")
	r := archive.Open(ref)
	defer r.Close()
	got, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "336 bytes of output dropped: the log of a job is limited to 200 bytes"}
	if diff := cmp.Diff(want, texts(got)); diff != "" {
		t.Error(diff)
	}
	if got[2].Stream != logs.System {
		t.Errorf("stream = %s, want system", got[2].Stream)
	}
}

func TestANameNeverLeavesTheArchive(t *testing.T) {
	archive, _ := open(t, 0)
	for _, bad := range []logs.Ref{
		{Workspace: "..", Job: "x", UID: "u"},
		{Workspace: "", Job: "x", UID: "u"},
		{Workspace: "a", Job: "../../x", UID: "u"},
		{Workspace: "a/b", Job: "x", UID: "u"},
		{Workspace: "a", Job: "x", UID: "../u"},
	} {
		if _, err := archive.Writer(bad); err == nil {
			t.Errorf("Writer(%+v) took a name that is a path", bad)
		}
		if _, err := archive.Open(bad).Read(t.Context()); err == nil {
			t.Errorf("Read(%+v) took a name that is a path", bad)
		}
		if err := archive.Remove(t.Context(), bad); err == nil {
			t.Errorf("Remove(%+v) took a name that is a path", bad)
		}
	}
}

func TestRemove(t *testing.T) {
	archive, _ := open(t, 0)
	write(t, archive, "one")
	for range 2 {
		if err := archive.Remove(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	r := archive.Open(ref)
	if got, err := r.Read(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("after Remove: %v, %v", got, err)
	}
	if err := r.From(t.Context(), -1); err == nil {
		t.Error("a negative offset was taken")
	}
	if err := r.Tail(t.Context(), -1); err == nil {
		t.Error("a negative tail was taken")
	}
}

func TestAWriteErrorIsReportedOnce(t *testing.T) {
	archive, dir := open(t, 0)
	if err := os.WriteFile(filepath.Join(dir, "acme"), nil, 0o600); err != nil {
		t.Fatal(err) // a file where the workspace's folder must be
	}
	w, err := archive.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	w.Line(now, stdout, "lost")
	w.Line(now, stdout, "lost too")
	if err := w.Close(now); err == nil {
		t.Error("Close does not tell that output was lost")
	}
}

func TestLinesStayInTheirOrderWhenTheClockIsSetBack(t *testing.T) {
	archive, _ := open(t, 0)
	w, err := archive.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	for i, after := range []time.Duration{time.Hour, 0, 2 * time.Hour, -time.Hour} {
		w.Line(now.Add(after), stdout, strconv.Itoa(i))
	}
	if err := w.Close(now); err != nil {
		t.Fatal(err)
	}
	r := archive.Open(ref)
	defer r.Close()
	got, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3"}, texts(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTheEndOfALog(t *testing.T) {
	const entry = len("2026-11-23T09:39:49.123456Z stdout a\n")
	for name, tc := range map[string]struct {
		lines, bytes int
		want         []string
		before       bool
	}{
		"all of it":                       {10, 10_000, []string{"a", "b", "c", "d"}, false},
		"exactly all lines":               {4, 10_000, []string{"a", "b", "c", "d"}, false},
		"the last lines":                  {2, 10_000, []string{"c", "d"}, true},
		"no line":                         {0, 10_000, nil, true},
		"exactly all bytes":               {10, 4 * entry, []string{"a", "b", "c", "d"}, false},
		"the bound on bytes is the lower": {10, 2 * entry, []string{"c", "d"}, true},
		"a line that is cut is left out":  {10, 2*entry + 1, []string{"c", "d"}, true},
		"less than one line":              {10, entry - 1, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			archive, _ := open(t, 0)
			write(t, archive, "a", "b", "c", "d")
			r := archive.Open(ref)
			defer r.Close()
			got, before, err := r.Last(t.Context(), tc.lines, tc.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" || before != tc.before {
				t.Errorf("before %v, want %v\n%s", before, tc.before, diff)
			}
		})
	}
	t.Run("a log that is not there", func(t *testing.T) {
		archive, _ := open(t, 0)
		r := archive.Open(ref)
		defer r.Close()
		if got, before, err := r.Last(t.Context(), 10, 10); got != nil || before || err != nil {
			t.Errorf("%v, %v, %v", got, before, err)
		}
	})
	t.Run("more than is read at once", func(t *testing.T) {
		archive, _ := open(t, 0)
		lines := make([]string, 1500)
		for i := range lines {
			lines[i] = strconv.Itoa(i) + strings.Repeat("x", 600)
		}
		write(t, archive, lines...)
		r := archive.Open(ref)
		defer r.Close()
		got, before, err := r.Last(t.Context(), 1000, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines[500:], texts(got)); diff != "" || !before {
			t.Errorf("%d lines, before %v", len(got), before)
		}
	})
}
