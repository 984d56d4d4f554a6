//go:build linux

package program

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/process"
)

// TestALineBelongsToTheEpochInWhichItBegan, however late it is read: everything is written
// before the first byte is read.
func TestALineBelongsToTheEpochInWhichItBegan(t *testing.T) {
	for name, tt := range map[string]struct{ written, want []string }{ // one text for each epoch
		"nothing before a call":           {[]string{"", "a\nb\n"}, []string{"1 a", "1 b"}},
		"a line before a call":            {[]string{"a\n", "b\n"}, []string{"0 a", "1 b"}},
		"a line that a call finds begun":  {[]string{"a\nha", "lf\nb\n"}, []string{"0 a", "0 half", "1 b"}},
		"a line without its end":          {[]string{"a", ""}, []string{"0 a"}},
		"nothing in a call":               {[]string{"a\n", "", "b\n"}, []string{"0 a", "2 b"}},
		"more than is read at once":       {[]string{strings.Repeat("x", 20_000) + "\n", "b\n"}, []string{"0 " + strings.Repeat("x", 20_000), "1 b"}},
		"a line that goes on for a while": {[]string{"a", "b", "c\nd\n"}, []string{"1 abc", "2 d"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p := &Program{Process: &process.Process{Stderr: r}, stderr: &stderr{ReadCloser: r}}
			for i, text := range tt.written {
				if i > 0 && p.Mark() != int64(i) {
					t.Error("epochs are not counted")
				}
				if _, err := w.WriteString(text); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
			var got []string
			p.Words(func(line string, epoch int64) {
				if len(line) > 1000 && len(got) > 0 && len(got[len(got)-1]) > 1000 { // Lines cuts a long one
					got[len(got)-1] += line
					return
				}
				got = append(got, fmt.Sprint(epoch, " ", line))
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsWrittenWhileTheProgramIsReadFrom has a reader that waits for the next line when
// a call begins.
func TestWhatIsWrittenWhileTheProgramIsReadFrom(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{Process: &process.Process{Stderr: r}, stderr: &stderr{ReadCloser: r}}
	lines := make(chan string)
	go func() {
		defer close(lines)
		p.Words(func(line string, epoch int64) { lines <- fmt.Sprint(epoch, " ", line) })
	}()
	say := func(text, want string) {
		t.Helper()
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if got := <-lines; got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	say("a\n", "0 a")
	say("b\n", "0 b")
	p.Mark()
	say("c\n", "1 c")
	p.Mark()
	p.Mark()
	say("d\n", "3 d")
	w.Close()
	if got, more := <-lines; more {
		t.Errorf("%q", got)
	}
}
