package logstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

func testText(t *testing.T, engine Engine) {
	long := strings.Repeat("ä", logs.MaxLine/2+1)
	for name, tc := range map[string]struct{ lines, want []string }{
		"nothing":                             {},
		"lines in order":                      {[]string{"one", "two"}, []string{"one", "two"}},
		"an empty line stays a line":          {[]string{""}, []string{""}},
		"line ends split":                     {[]string{"one\r\ntwo\n\nthree"}, []string{"one", "two", "", "three"}},
		"spaces and unicode stay as they are": {[]string{"  ✓ done  "}, []string{"  ✓ done  "}},
		"invalid UTF-8 is replaced":           {[]string{"a\xffb"}, []string{"a\uFFFDb"}},
		"a long line is split at a character": {[]string{long}, []string{long[:logs.MaxLine], "ä"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, engine, t.TempDir(), 0)
			write(t, s, ref, tc.lines...)
			got := rest(t, reader(t, s, ref))
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" {
				t.Error(diff)
			}
			last := int64(0)
			for _, e := range got {
				if !e.Time.Equal(now) || e.Stream != stdout || e.Offset <= last {
					t.Errorf("entry %+v after offset %d, want time %v and stream %s", e, last, now, stdout)
				}
				last = e.Offset
			}
		})
	}
}

func testOffsets(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	write(t, s, ref, "one", "two", "three")
	all := rest(t, reader(t, s, ref))
	for name, tc := range map[string]struct {
		offset int64
		want   []string
	}{
		"from the start":              {0, []string{"one", "two", "three"}},
		"after an entry":              {all[0].Offset, []string{"two", "three"}},
		"inside an entry: after it":   {all[0].Offset + 3, []string{"three"}},
		"at the end: nothing yet":     {all[2].Offset, nil},
		"behind the end: nothing yet": {all[2].Offset + 100, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := reader(t, s, ref)
			if err := r.From(t.Context(), tc.offset); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, texts(rest(t, r))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func testTail(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	const n = 5003
	lines := slices.Repeat([]string{strings.Repeat("x", 40)}, n-1)
	write(t, s, ref, append(lines, "last")...)
	for tail, want := range map[int]int{0: 0, 1: 1, 3: 3, 2000: 2000, n: n, 9999: n} {
		r := reader(t, s, ref)
		if err := r.Tail(t.Context(), tail); err != nil {
			t.Fatal(err)
		}
		got := rest(t, r)
		if len(got) != want || want > 0 && got[want-1].Text != "last" {
			t.Errorf("a tail of %d has %d entries, want %d", tail, len(got), want)
		}
		write(t, s, logs.Ref{Workspace: "acme", Job: fmt.Sprint("other-", tail), UID: ref.UID}, "not in this log")
	}
}

func testLast(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	if got, before, err := reader(t, s, ref).Last(t.Context(), 10, 1000); len(got) > 0 || before || err != nil {
		t.Errorf("of no log: %v, %v, %v", got, before, err)
	}
	var all []string
	for i := range 1500 {
		all = append(all, fmt.Sprint(i, strings.Repeat("x", 600)))
	}
	write(t, s, ref, all...)
	for name, tc := range map[string]struct {
		entries, bytes, atMost int
		all                    bool // atMost is also the least
	}{
		"as many entries as asked for":   {1000, 10 << 20, 1000, true},
		"all there are":                  {10_000, 10 << 20, len(all), true},
		"none":                           {0, 10 << 20, 0, true},
		"as many as the bytes allow":     {1000, 6000, 9, false},
		"none where the bytes allow for": {1000, 100, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, before, err := reader(t, s, ref).Last(t.Context(), tc.entries, tc.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(got); n > tc.atMost || tc.all && n < tc.atMost || !tc.all && n == 0 {
				t.Fatalf("%d entries, want at most %d", n, tc.atMost)
			}
			if diff := cmp.Diff(all[len(all)-len(got):], texts(got), cmpopts.EquateEmpty()); diff != "" || before != (len(got) < len(all)) {
				t.Errorf("before is %v; %s", before, diff)
			}
		})
	}
	for _, bad := range [][2]int{{-1, 1}, {1, -1}} {
		if _, _, err := reader(t, s, ref).Last(t.Context(), bad[0], bad[1]); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("the last %v: %v, want ErrInvalid", bad, err)
		}
	}
}

func testFollow(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	r := reader(t, s, ref) // before there is a log
	w, err := s.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "three", "four"}
	go func() {
		for _, line := range want {
			w.Line(now, stdout, line)
		}
		_ = w.Close(now)
	}()
	if diff := cmp.Diff(want, follow(t, r, len(want))); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the end with a canceled context: %v", err)
	}
	write(t, s, ref, "five")
	if diff := cmp.Diff([]string{"five"}, follow(t, r, 1)); diff != "" {
		t.Error(diff)
	}
}

// follow reads n entries as they come.
func follow(t *testing.T, r logs.Reader, n int) (got []string) {
	t.Helper()
	for len(got) < n {
		entries, err := r.Next(t.Context())
		if err != nil {
			t.Fatalf("Next: %v after %d of %d entries", err, len(got), n)
		}
		if len(entries) == 0 {
			t.Fatal("Next returned no entry")
		}
		got = append(got, texts(entries)...)
	}
	return got
}

func testConcurrency(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	const jobs, followers, lines = 4, 3, 200
	var wg sync.WaitGroup
	for j := range jobs {
		ref := logs.Ref{Workspace: "acme", Job: fmt.Sprint("job-", j), UID: ref.UID}
		var want []string
		for n := range lines {
			want = append(want, fmt.Sprint(j, " prints ", n))
		}
		for range followers {
			r := reader(t, s, ref)
			wg.Go(func() {
				var got []string
				for len(got) < lines {
					entries, err := r.Next(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					got = append(got, texts(entries)...)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		wg.Go(func() {
			w, err := s.Writer(ref)
			if err != nil {
				t.Error(err)
				return
			}
			for _, line := range want {
				w.Line(now, stdout, line)
			}
			if err := w.Close(now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
