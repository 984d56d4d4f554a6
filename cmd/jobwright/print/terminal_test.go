package print

import "testing"

func TestControlCharactersAreVisibleOnATerminal(t *testing.T) {
	for name, tc := range map[string]struct{ text, want, rest string }{
		"plain text":                  {"done: 3 files\n\tgrün ✓\n", "done: 3 files\n\tgrün ✓\n", ""},
		"a title and a clear":         {"\x1b]0;owned\x07\x1b[2J", "^[]0;owned^G^[[2J", ""},
		"a line that is written over": {"failed\rsucceeded\n", "failed^Msucceeded\n", ""},
		"a backspace and a delete":    {"ab\b\x7f", "ab^H^?", ""},
		"controls of eight bits":      {"\u009b2J", `\u009b2J`, ""},
		"a direction that is turned":  {"a\u202eb", `a\u202eb`, ""},
		"bytes that are no text":      {"a\x9bb", `a\x9bb`, ""},
		"half a character":            {"a\xe2\x9c", "a", "\xe2\x9c"},
	} {
		t.Run(name, func(t *testing.T) {
			out, rest := visible([]byte(tc.text))
			if string(out) != tc.want || string(rest) != tc.rest {
				t.Errorf("got %q and %q, want %q and %q", out, rest, tc.want, tc.rest)
			}
		})
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\x1b[2J\r\n", 2)
	f.Fuzz(func(t *testing.T, text string, at int) {
		at = max(0, min(at, len(text)))
		whole, _ := visible([]byte(text))
		first, held := visible([]byte(text[:at]))
		second, _ := visible(append(held, text[at:]...))
		if got := string(first) + string(second); got != string(whole) {
			t.Errorf("in two pieces %q, in one %q", got, whole)
		}
		for _, r := range string(whole) {
			if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q has the control character %#x", whole, r)
			}
		}
	})
}
