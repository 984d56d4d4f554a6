package v1

import (
	"fmt"
	"slices"
	"strings"
)

// maxWayShown is how many jobs of a way a message names: enough to see where it begins and
// where it ends.
const maxWayShown = 10

// DependencyWay is a way along dependsOn in words, as in "a → b → a"; of a long one, its
// beginning and its end.
func DependencyWay(names []string) string {
	if len(names) > maxWayShown {
		between := fmt.Sprintf("… %d more …", len(names)-maxWayShown)
		names = slices.Concat(names[:maxWayShown/2], []string{between}, names[len(names)-maxWayShown/2:])
	}
	return strings.Join(names, " → ")
}
