package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// show is a wrong value as a message repeats it; never one that the schema calls secret.
func show(rule map[string]any, value any) string {
	if rule["writeOnly"] == true || rule["format"] == "password" {
		return "(not shown)"
	}
	return Short(Compact(value), maxShown)
}

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

func quoted(text string) string { return show(nil, text) }

// names lists the names of a map.
func names(of map[string]any) string {
	if len(of) == 0 {
		return "none"
	}
	return Short(strings.Join(slices.Sorted(maps.Keys(of)), ", "), maxListed)
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}
