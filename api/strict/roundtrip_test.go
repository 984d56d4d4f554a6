package strict_test

import (
	"testing"

	"jobwright.dev/api/strict"
)

// TestWhatWeWriteIsRead: text that looks like something else, as a value and as a key,
// survives our own YAML.
func TestWhatWeWriteIsRead(t *testing.T) {
	for _, text := range []string{
		"", "~", "null", "Null", "true", "False", "y", "n", "Y", "N", "yes", "no", "on", "off", "NO", "0", "1", "-1", "+1", "1.5", ".5", "5.", "1e3", "1E400",
		"0123", "0o17", "0x1F", "0b11", "1_000", "12:30:00", "2026-12-01", "2026-12-01T08:00:00Z", ".inf", "-.inf", ".nan", "<<", "=", "-", "?", "a: b", "a #b", "&a", "*a", "!x",
		"@a", "`a", "%a", "{a", "[a", "a\nb", "a\n", " a", "a ", "\ta", "\x01", "\u2028", "é", "😀", "'", "\"", "- a", "0.0.0", "1.2.3", "1e", "0x", "0b", "__1", "1__0", "+", ".", "-.", "01:02",
	} {
		written, err := strict.Marshal(map[string]any{"labels": map[string]string{text: text}, "free": text})
		if err != nil {
			t.Fatal(err)
		}
		var into sample
		if err := strict.Unmarshal(written, &into); err != nil {
			t.Errorf("%q is written as\n%s\nwhich is refused: %v", text, written, err)
		} else if value, err := into.Free.Value(); err != nil || value != text || into.Labels[text] != text {
			t.Errorf("%q became %v and %v: %v", text, value, into.Labels, err)
		}
	}
}

// TestNumbersAreWrittenAsTheyAre: sigs.k8s.io/yaml makes 1.1 of 1.10.
func TestNumbersAreWrittenAsTheyAre(t *testing.T) {
	const text = `{"a":1.10,"b":123456789012345678901234567890,"c":1e3,"d":[-0,0.0,1E400],"e":null,"f":true,"g":{},"h":[]}`
	var before, after sample
	if err := strict.Unmarshal([]byte(`{"free":`+text+`}`), &before); err != nil {
		t.Fatal(err)
	}
	written, err := strict.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if err := strict.Unmarshal(written, &after); err != nil || string(after.Free.Raw) != text {
		t.Errorf("%v, %s written as\n%s", err, after.Free.Raw, written)
	}
}
