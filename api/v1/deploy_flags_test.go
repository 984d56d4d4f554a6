package v1

import "testing"

func TestEveryVerbHasItsFlags(t *testing.T) {
	for _, verb := range DeployVerbs() {
		if _, ok := deployFlags[verb]; !ok {
			t.Errorf("verb %s has no list of flags", verb)
		}
	}
}
