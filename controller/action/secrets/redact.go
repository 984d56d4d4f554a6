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
	// patterns are what to look for, by first byte; the longest first.
	patterns [256][][]byte
}

// Redactor replaces every value that the set has now, whatever workspace it is for, and
// those given. A value that cannot be read cannot have been used either.
func (s *Set) Redactor(also ...string) *Redactor {
	values := slices.Clone(also)
	if s != nil {
		for _, src := range s.sources {
			if value, err := src.read(); err == nil {
				values = append(values, value)
			}
		}
	}
	return NewRedactor(values...)
}

// NewRedactor replaces values, each in every form that it may be written in. Shorter ones
// than MinLength are left alone.
func NewRedactor(values ...string) *Redactor {
	var patterns [][]byte
	for _, value := range values {
		patterns = append(patterns, forms(value)...)
		if strings.Contains(value, "\n") {
			for line := range strings.Lines(value) {
				patterns = append(patterns, forms(strings.TrimRight(line, "\r\n"))...)
			}
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	slices.SortFunc(patterns, func(a, b []byte) int { return cmp.Or(len(b)-len(a), bytes.Compare(a, b)) })
	r := &Redactor{}
	for _, p := range slices.CompactFunc(patterns, bytes.Equal) {
		r.patterns[p[0]] = append(r.patterns[p[0]], p)
	}
	return r
}

// forms are how a value may be written.
func forms(value string) [][]byte {
	if len(strings.TrimSpace(value)) < MinLength {
		return nil
	}
	var out [][]byte
	for _, v := range []string{value, strings.ReplaceAll(value, "$", "$$")} {
		out = append(out, []byte(v), []byte(strings.ReplaceAll(v, "'", "''")), jsonText(v, true), jsonText(v, false))
	}
	for n := MinLength; n < min(len(value), maxCut); n++ {
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
// leaves what may be the beginning of a value; that is its second result.
func (r *Redactor) replace(dst, data []byte, all bool) (out, rest []byte) {
	for i := 0; i < len(data); {
		patterns := r.patterns[data[i]]
		if len(patterns) == 0 {
			dst = append(dst, data[i])
			i++
			continue
		}
		found := 0
		for _, p := range patterns {
			if !all && len(p) > len(data)-i && bytes.HasPrefix(p, data[i:]) {
				return dst, data[i:]
			}
			if bytes.HasPrefix(data[i:], p) {
				found = len(p)
				break // those that follow are no longer
			}
		}
		if found == 0 {
			dst = append(dst, data[i])
			i++
			continue
		}
		dst = append(dst, Mask...)
		i += found
	}
	return dst, nil
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
