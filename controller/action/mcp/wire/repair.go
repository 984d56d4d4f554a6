package wire

import (
	"bytes"
	"fmt"
)

// repaired is text that is nearly JSON, as JSON, with its faults: numbers that JSON does not
// have (Python writes them for a float without a value), and characters in strings that must
// be escaped. Without a fault of these kinds it is the text itself.
func repaired(text []byte) (out []byte, wrong []string) {
	out = make([]byte, 0, len(text))
	var numbers, characters bool
	for i := 0; i < len(text); {
		c := text[i]
		if c != '"' {
			n := len(notJSON(text[i:]))
			if n == 0 {
				out = append(out, c)
				i++
				continue
			}
			numbers = true
			out = append(out, null...)
			i += n
			continue
		}
		n, escaped := quotedEnd(text[i:])
		characters = characters || escaped
		out = appendString(out, text[i:i+n])
		i += n
	}
	if numbers {
		wrong = append(wrong, "it held NaN or Infinity, which JSON does not have; they stand as null")
	}
	if characters {
		wrong = append(wrong, "its strings held characters that JSON wants escaped")
	}
	return out, wrong
}

// notJSON is a number that JSON does not have, at the beginning of text.
func notJSON(text []byte) []byte {
	for _, word := range [][]byte{[]byte("NaN"), []byte("Infinity"), []byte("-Infinity")} {
		if bytes.HasPrefix(text, word) {
			return word
		}
	}
	return nil
}

// quotedEnd is where the string ends that text begins with, and whether it needs a repair.
func quotedEnd(text []byte) (n int, wrong bool) {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1, wrong
		case c == '\\' && i+1 < len(text):
			i++
			wrong = wrong || !bytes.ContainsRune([]byte(`"\/bfnrtu`), rune(text[i]))
		case c < ' ':
			wrong = true
		}
	}
	return len(text), wrong
}

// appendString appends a string with the escapes that JSON wants.
func appendString(out, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			if !bytes.ContainsRune([]byte(`"\/bfnrtu`), rune(text[i])) {
				out = append(out, '\\') // the backslash meant itself
			}
			out = append(out, '\\', text[i])
		case c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
