package secrets

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// minBase64 is how long a value is whose base64 is looked for: that of a shorter one has
// four characters, which any text may have by chance.
const minBase64 = 6

// Tables cut long texts off: docker's command column at 20 characters. What is left of a
// value before the cut is looked for up to maxCut bytes.
const (
	ellipsis = "…"
	maxCut   = 32
)

// Mask stands where a value was.
const Mask = "***"

// Redactor replaces values. It is safe for concurrent use; a nil one replaces nothing.
type Redactor struct {
	// patterns are the texts to replace, by first byte; the longest first.
	patterns [256][][]byte
	// own are the caller's own words, by first byte; the longest first. What lies within
	// one of them stays.
	own [256][][]byte
}

// Redactor replaces every value that the set has now, for one workspace. Values that the
// workspace may use are replaced in every form, also cut off by a table. Those of others are
// replaced whole alone, and never within own, the caller's words: what was masked of a guess
// would tell how much of it was right. Those in also are replaced in every form. A value
// that cannot be read cannot have been used either.
func (s *Set) Redactor(workspace string, own []string, also ...string) *Redactor {
	var patterns [][]byte
	for _, value := range also {
		patterns = append(patterns, patternsOf(value, true)...)
	}
	if s != nil {
		for _, src := range s.sources {
			if value, err := src.read(); err == nil {
				patterns = append(patterns, patternsOf(value, src.allows(workspace))...)
			}
		}
	}
	r := newRedactor(patterns)
	if r == nil {
		return nil
	}
	var words [][]byte
	for _, word := range own {
		for _, form := range []string{word, string(jsonText(word, true)), string(jsonText(word, false)), url.QueryEscape(word), url.PathEscape(word)} {
			if len(form) >= MinLength {
				words = append(words, []byte(form))
			}
		}
	}
	r.own = byFirst(words)
	return r
}

// NewRedactor replaces values, each in every form that it may be written in, also cut off by
// a table. Shorter ones than MinLength are left alone.
func NewRedactor(values ...string) *Redactor {
	var patterns [][]byte
	for _, value := range values {
		patterns = append(patterns, patternsOf(value, true)...)
	}
	return newRedactor(patterns)
}

func newRedactor(patterns [][]byte) *Redactor {
	if len(patterns) == 0 {
		return nil
	}
	return &Redactor{patterns: byFirst(patterns)}
}

// byFirst sorts texts by their first byte, the longest first, each once.
func byFirst(texts [][]byte) (by [256][][]byte) {
	slices.SortFunc(texts, func(a, b []byte) int { return cmp.Or(len(b)-len(a), bytes.Compare(a, b)) })
	for _, text := range slices.CompactFunc(texts, bytes.Equal) {
		by[text[0]] = append(by[text[0]], text)
	}
	return by
}

// patternsOf are the forms of a value and of each of its lines.
func patternsOf(value string, cut bool) [][]byte {
	patterns := forms(value, cut)
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			patterns = append(patterns, forms(strings.TrimRight(line, "\r\n"), cut)...)
		}
	}
	return patterns
}

// forms are how a value may be written; cut: also by a table that cuts it off.
func forms(value string, cut bool) [][]byte {
	if len(strings.TrimSpace(value)) < MinLength {
		return nil
	}
	var out [][]byte
	for _, v := range []string{value, strings.ReplaceAll(value, "$", "$$")} {
		out = append(out, []byte(v), []byte(strings.ReplaceAll(v, "'", "''")), jsonText(v, true), jsonText(v, false))
	}
	for n := MinLength; cut && n < min(len(value), maxCut); n++ {
		out = append(out, []byte(value[:n]+ellipsis))
		if quoted := jsonText(value[:n], false); len(quoted) > n {
			out = append(out, append(quoted, ellipsis...))
		}
	}
	out = append(out, []byte(url.QueryEscape(value)), []byte(url.PathEscape(value)))
	if len(value) < minBase64 {
		return out
	}
	return append(out, base64Forms(value)...)
}

// base64Forms are a value as it stands in the base64 of any text that it is a part of, by
// how many bytes of the text before it share its first group of three. The characters at
// either end are left out that depend on what stands beside the value.
func base64Forms(value string) [][]byte {
	var out [][]byte
	for before := range 3 {
		padded := strings.Repeat("\x00", before) + value
		whole := []byte(padded[:len(padded)/3*3])
		first := (before*8 + 5) / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(whole)
			if len(text)-first >= minBase64 {
				out = append(out, []byte(text[first:]))
			}
		}
	}
	return out
}

// jsonText is a value as it stands within a JSON string, which is how YAML quotes too.
func jsonText(value string, html bool) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	_ = e.Encode(value) // a string can be encoded
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return text[1 : len(text)-1]
}

// String is s without the values.
func (r *Redactor) String(s string) string {
	if r == nil {
		return s
	}
	out, _ := r.replace(nil, []byte(s), true)
	return string(out)
}

// replace appends data without the values to dst. Unless it is all there will be, it
// leaves what may be the beginning of a value, or of the caller's word around one; that is
// its second result.
func (r *Redactor) replace(dst, data []byte, all bool) (out, rest []byte) {
	for i := 0; i < len(data); {
		word, short := r.spared(data[i:], all)
		if short {
			return dst, data[i:]
		}
		if word > 0 {
			dst = append(dst, data[i:i+word]...)
			i += word
			continue
		}
		found, short := match(r.patterns[data[i]], data[i:], all)
		switch {
		case short:
			return dst, data[i:]
		case found == 0:
			dst = append(dst, data[i])
			i++
		default:
			dst = append(dst, Mask...)
			i += found
		}
	}
	return dst, nil
}

// match is the length of the longest of texts that data begins with. short: data may be
// the beginning of one.
func match(texts [][]byte, data []byte, all bool) (length int, short bool) {
	for _, text := range texts {
		if !all && len(text) > len(data) && bytes.HasPrefix(text, data) {
			return 0, true
		}
		if bytes.HasPrefix(data, text) {
			return len(text), false // those that follow are no longer
		}
	}
	return 0, false
}

// spared is the length of the caller's word that data begins with, when no value reaches
// beyond its end: only what lies within it is the caller's.
func (r *Redactor) spared(data []byte, all bool) (length int, short bool) {
	word, short := match(r.own[data[0]], data, all)
	if word == 0 || short {
		return 0, short
	}
	for at := range word {
		found, short := match(r.patterns[data[at]], data[at:], all)
		if short {
			return 0, true
		}
		if at+found > word {
			return 0, false
		}
	}
	return word, false
}

// Reader is src without the values, also those that come in pieces. What may be the
// beginning of one is held back until the next piece, and let through at the end.
func (r *Redactor) Reader(src io.Reader) io.Reader {
	if r == nil {
		return src
	}
	return &reader{r: r, src: src, buf: make([]byte, 32<<10)}
}

type reader struct {
	r     *Redactor
	src   io.Reader
	buf   []byte
	held  []byte // read and not yet looked through
	ready []byte // looked through and not yet handed out
	err   error
}

// Read implements io.Reader.
func (f *reader) Read(p []byte) (int, error) {
	for len(f.ready) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		n, err := f.src.Read(f.buf)
		f.err = err
		data := append(f.held, f.buf[:n]...)
		f.ready, f.held = f.r.replace(f.ready[:0], data, err != nil)
		f.held = slices.Clone(f.held)
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}
