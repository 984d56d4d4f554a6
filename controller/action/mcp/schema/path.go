package schema

import (
	"fmt"
	"slices"
	"strings"

	"jobwright.dev/controller/action/mcp/display"
)

// Fields is a path as it stands behind the name of its root: .a[0]["b c"].
func Fields(path []any) string {
	var b strings.Builder
	for _, element := range path {
		if name, ok := element.(string); ok {
			b.WriteString(field(name))
			continue
		}
		fmt.Fprintf(&b, "[%v]", element)
	}
	return b.String()
}

// comparePaths orders paths by their elements, indexes by number.
func comparePaths(a, b []any) int {
	return slices.CompareFunc(a, b, func(x, y any) int {
		i, isIndex := x.(int)
		j, areIndexes := y.(int)
		if isIndex && areIndexes {
			return i - j
		}
		return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
	})
}

func field(name string) string {
	if plainName(name) {
		return "." + name
	}
	return fmt.Sprintf("[%q]", display.Short(name, display.MaxShown))
}

// plainName reports whether a path has a name without brackets.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '$' && c != '-' {
			return false
		}
	}
	return name != ""
}
