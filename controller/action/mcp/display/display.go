// Package display writes values and texts of servers as messages show them: in JSON as a
// person writes it, and bounded, since a server may write anything.
package display

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	// MaxMessage bounds how many bytes of a text that others wrote stand in a job's message.
	MaxMessage = 4 << 10
	// MaxShown bounds how many bytes of one value a message repeats.
	MaxShown = 80
	// MaxListed bounds how many bytes of a list of names a message repeats.
	MaxListed = 1 << 10
)

// Compact is a value's JSON as a person writes it.
func Compact(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Short is the head of a text that may be long: at most limit bytes, cut at a rune's edge.
func Short(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Clip is Short for a text that the job's log has in full, and names the full length.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + fmt.Sprintf("… (%d bytes in all; the log has them)", len(text))
}

// Quoted is a text as a JSON string of at most MaxShown bytes.
func Quoted(text string) string { return Short(Compact(text), MaxShown) }

// Names lists names in at most MaxListed bytes.
func Names(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return Short(strings.Join(names, ", "), MaxListed)
}
