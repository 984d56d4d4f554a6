package mcp

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	// maxShown bounds how much of a text of the server's a message repeats.
	maxShown = 80
	// maxListed bounds what a message lists of what would be right.
	maxListed = 1 << 10
)

// compact is a value's JSON as a person writes it.
func compact(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// short is the head of a text that may be long.
func short(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

func quoted(text string) string { return short(compact(text), maxShown) }

func dashed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return short(strings.Join(names, ", "), maxListed)
}
