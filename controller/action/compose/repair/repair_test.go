package repair

import (
	"strings"
	"testing"

	"jobwright.dev/controller/action/compose/engine"
)

// TestRepairsLeaveNothingInBetween looks at what a stopped docker compose may leave.
func TestRepairsLeaveNothingInBetween(t *testing.T) {
	ran := engine.Container{ID: "old", Name: "p-web-1", Service: "web", Status: "running"}
	with := func(c engine.Container, status, name string) engine.Container {
		c.Status, c.Name = status, name
		return c
	}
	fresh := engine.Container{ID: "new", Name: "p-web-1", Service: "web"}
	all := func(engine.Container) bool { return true }
	for name, tc := range map[string]struct {
		before, now []engine.Container
		ours        func(engine.Container) bool
		stopping    string
		want        string
	}{
		"nothing has changed":                          {[]engine.Container{ran}, []engine.Container{ran}, all, "", ""},
		"the new one was made, the old one still runs": {[]engine.Container{ran}, []engine.Container{ran, with(fresh, "created", "0123456789ab_p-web-1")}, all, "", "container rm -- new; container stop -- old; container start -- old"},
		"the old one was stopped":                      {[]engine.Container{ran}, []engine.Container{with(ran, "exited", ran.Name), with(fresh, "created", "0123456789ab_p-web-1")}, all, "", "container rm -- new; container start -- old"},
		"the old one is gone":                          {[]engine.Container{ran}, []engine.Container{with(fresh, "created", "0123456789ab_p-web-1")}, all, "", "container rename -- new p-web-1; container start -- new"},
		"the new one was never started":                {[]engine.Container{ran}, []engine.Container{with(fresh, "created", "p-web-1")}, all, "", "container start -- new"},
		"the new one runs":                             {[]engine.Container{ran}, []engine.Container{with(fresh, "running", "p-web-1")}, all, "", ""},
		"the old one is being stopped for its network": {[]engine.Container{ran}, []engine.Container{ran}, all, "p-web-1", "container stop -- old; container start -- old"},
		"the old one was stopped for its network":      {[]engine.Container{ran}, []engine.Container{with(ran, "exited", ran.Name)}, all, "", "container start -- old"},
		"one that is new and waits for others":         {[]engine.Container{ran}, []engine.Container{ran, with(fresh, "created", "p-more-1")}, all, "", ""},
		"the old one did not run, and is still there":  {[]engine.Container{with(ran, "exited", ran.Name)}, []engine.Container{with(ran, "exited", ran.Name), with(fresh, "created", "0123456789ab_p-web-1")}, all, "", "container rm -- new"},
		"the old one did not run, and is gone":         {[]engine.Container{with(ran, "exited", ran.Name)}, []engine.Container{with(fresh, "created", "0123456789ab_p-web-1")}, all, "", "container rename -- new p-web-1"},
		"somebody else's":                              {[]engine.Container{ran}, []engine.Container{ran, with(fresh, "created", "p-other-1")}, func(engine.Container) bool { return false }, "", ""},
		"one that had not run before stays so":         {[]engine.Container{with(ran, "exited", ran.Name)}, []engine.Container{with(ran, "exited", ran.Name)}, all, "", ""},
	} {
		var got []string
		for _, act := range repairs(tc.before, tc.now, func(name string) bool { return name == tc.stopping }, tc.ours) {
			got = append(got, strings.Join(act, " "))
		}
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%s: %v, want %s", name, got, tc.want)
		}
	}
}
