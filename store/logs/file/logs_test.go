package file_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store/logs"
	"jobwright.dev/store/logs/file"
	"jobwright.dev/store/logs/logstest"
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

func TestStore(t *testing.T) {
	logstest.Run(t, logstest.Engine{Open: func(t *testing.T, dir string, maxBytes int64) logs.Store {
		t.Helper()
		archive, err := file.Open(dir, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		return archive
	}})
}

func texts(entries []logs.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out
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
