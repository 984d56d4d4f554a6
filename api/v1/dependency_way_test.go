package v1

import (
	"fmt"
	"testing"
)

func TestALongWayIsCutInItsMiddle(t *testing.T) {
	names := []string{"a", "b", "a"}
	if got := DependencyWay(names); got != "a → b → a" {
		t.Errorf("got %s", got)
	}
	for i := range 9000 {
		names = append(names, fmt.Sprint("job-", i))
	}
	if got, want := DependencyWay(names), "a → b → a → job-0 → job-1 → … 8993 more … → job-8995 → job-8996 → job-8997 → job-8998 → job-8999"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
