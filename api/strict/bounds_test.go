package strict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"jobwright.dev/api/strict"
)

// TestExpansionIsBounded counts memory, not time: what is refused before it is expanded
// takes a small multiple of the text.
func TestExpansionIsBounded(t *testing.T) {
	laughs := "a0: &a0 [x]\n"
	for i := 1; i < 60; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	merges := "a: &a {" + members(2000) + "}\nb: [" + strings.Repeat("{<<: *a},", 2000) + "]"
	tests := map[string]struct{ text, refused string }{
		"80 KB whose alias stands 20,000 times": {
			"a: &a " + strings.Repeat("x", 20_000) + "\nb: [" + strings.Repeat("*a,", 20_000) + "]", "aliases (*name) and merge keys (<<) may add at most",
		},
		"a billion laughs":                {laughs, "aliases (*name) and merge keys (<<) may add at most"},
		"merge keys that copy a map":      {merges, "aliases (*name) and merge keys (<<) may add at most"},
		"lists within lists":              {strings.Repeat("[", 100_000), "deep within each other"},
		"lists within lists in YAML":      {"a: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000), "deep within each other"},
		"maps within maps in YAML":        {"a: " + strings.Repeat("{a: ", 600) + "1" + strings.Repeat("}", 600), "deep within each other"},
		"dashes behind each other":        {strings.Repeat("- ", 5_000) + "a", "deep within each other"},
		"a depth that the parser refuses": {strings.Repeat("- ", 50_000), "this is no YAML"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var into any
			check(t, strict.Unmarshal([]byte(tt.text), &into), tt.refused)
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 40<<20 {
				t.Errorf("%d bytes of text took %d MiB", len(tt.text), taken>>20)
			}
		})
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1,", i)
	}
	return b.String()
}

// FuzzUnmarshal checks that no text panics, that what is taken is the same value to
// encoding/json where it is JSON, and that reading what was read changes nothing.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.50,"x\ud83d\ude00",null,true],"b":{"c":1e3}}`, "a: &x {b: 1}\nc: [*x, {<<: *x}]\n", "? a\n: b\n--- \n- no\n",
		"{n: 2}", "a: |\n  b\n", "a: &a [*a]", "!!binary aGk=", "\ufeff{}", "<<: [&a {b: 1}, *a]\n", "a: 0x1F\r\nb: '1'", "{\"a\" : 1, \"a\": 2}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := strict.YAML(text)
		if err != nil || d.Empty() {
			return
		}
		read, err := d.JSON()
		if err != nil {
			return
		}
		if !json.Valid(read) {
			t.Fatalf("%q was read as %s, which is no JSON", text, read)
		}
		if json.Valid(text) {
			var ours, theirs any
			if number(t, read, &ours); number(t, text, &theirs) {
				if a, b := fmt.Sprint(ours), fmt.Sprint(theirs); a != b {
					t.Fatalf("%q was read as %s, encoding/json reads %s", text, a, b)
				}
			}
		}
		again, err := strict.JSON(read)
		if err != nil {
			t.Fatalf("%s, read from %q, is refused: %v", read, text, err)
		}
		if b, err := again.JSON(); err != nil || !bytes.Equal(b, read) {
			t.Fatalf("%s became %s, %v", read, b, err)
		}
	})
}

// number decodes JSON with numbers as written.
func number(t *testing.T, data []byte, into any) bool {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into) == nil
}
