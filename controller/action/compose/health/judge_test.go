package health

import (
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) func(*engine.Container) {
		return func(c *engine.Container) { c.StartedAt = now.Add(-d) }
	}
	old, young := ago(time.Hour), ago(time.Second)
	status := func(s string) func(*engine.Container) { return func(c *engine.Container) { c.Status = s } }
	healthy := func(h string) func(*engine.Container) { return func(c *engine.Container) { c.Health = h } }
	exited := func(code int) func(*engine.Container) {
		return func(c *engine.Container) { c.Status, c.ExitCode = "exited", code }
	}
	restarts := func(n int) func(*engine.Container) {
		return func(c *engine.Container) { c.Restarts, c.Policy = n, "always" }
	}
	policy := func(p string) func(*engine.Container) { return func(c *engine.Container) { c.Policy = p } }
	expect := func(e v1.ServiceExpectation) v1.ServiceHealth { return v1.ServiceHealth{Expect: e} }
	for name, tc := range map[string]struct {
		changes []func(*engine.Container)
		own     v1.ServiceHealth
		want    Grade
		state   string
		reason  string
		next    time.Duration // after now; 0: never
		message string
	}{
		"runs for long":                          {changes: []func(*engine.Container){old}, want: Good, state: "running"},
		"has just been started":                  {changes: []func(*engine.Container){young}, want: Waiting, state: "starting", next: 4 * time.Second, message: "counts as up when it does so for 5s"},
		"runs for exactly as long as it must":    {changes: []func(*engine.Container){ago(5 * time.Second)}, want: Good, state: "running"},
		"healthy, and just started":              {changes: []func(*engine.Container){young, healthy("healthy")}, want: Good, state: "healthy"},
		"healthy, but restarted a moment ago":    {changes: []func(*engine.Container){young, healthy("healthy"), restarts(1)}, want: Waiting, state: "starting", next: 4 * time.Second},
		"not healthy yet":                        {changes: []func(*engine.Container){old, healthy("starting")}, want: Waiting, state: "starting", message: "has not passed yet"},
		"unhealthy":                              {changes: []func(*engine.Container){old, healthy("unhealthy"), func(c *engine.Container) { c.Check = "no answer" }}, want: Failed, state: "unhealthy", reason: v1.ReasonUnhealthy, message: "no answer"},
		"a one-shot that has ended well":         {changes: []func(*engine.Container){exited(0)}, want: Good, state: "completed"},
		"a one-shot that is to be restarted":     {changes: []func(*engine.Container){exited(0), policy("always")}, want: Failed, state: "exited", reason: v1.ReasonContainerFailed, message: "stopped by something else"},
		"stopped with the engine":                {changes: []func(*engine.Container){exited(0), func(c *engine.Container) { c.Cut = true }}, want: Failed, state: "exited", reason: v1.ReasonContainerFailed, message: "while the docker engine was away"},
		"a one-shot that ended meanwhile":        {changes: []func(*engine.Container){exited(0), func(c *engine.Container) { c.Cut = true }}, own: expect(v1.ExpectCompleted), want: Good, state: "completed"},
		"ended with another exit code":           {changes: []func(*engine.Container){exited(3)}, want: Failed, state: "exited", reason: v1.ReasonContainerFailed, message: "exit code 3"},
		"ended well, and is to run":              {changes: []func(*engine.Container){exited(0)}, own: expect(v1.ExpectRunning), want: Failed, state: "exited", reason: v1.ReasonContainerFailed, message: "is to run"},
		"ended anyhow, as allowed":               {changes: []func(*engine.Container){exited(3)}, own: expect(v1.ExpectAny), want: Good, state: "exited"},
		"runs, and is to end":                    {changes: []func(*engine.Container){old}, own: expect(v1.ExpectCompleted), want: Waiting, state: "running"},
		"out of memory":                          {changes: []func(*engine.Container){exited(137), func(c *engine.Container) { c.OOMKilled = true }}, want: Failed, state: "exited", reason: v1.ReasonContainerFailed, message: "out of memory"},
		"restarts as often as it may":            {changes: []func(*engine.Container){status("restarting"), restarts(5)}, want: Waiting, state: "restarting"},
		"restarts once more":                     {changes: []func(*engine.Container){status("restarting"), restarts(6)}, want: Failed, state: "restarting", reason: v1.ReasonCrashLoop, message: "restarted 6 times, health.maxRestarts is 5"},
		"runs again after too many restarts":     {changes: []func(*engine.Container){young, restarts(6)}, want: Failed, state: "restarting", reason: v1.ReasonCrashLoop},
		"has come to rest after many restarts":   {changes: []func(*engine.Container){old, restarts(6)}, want: Good, state: "running"},
		"may not restart at all":                 {changes: []func(*engine.Container){status("restarting"), restarts(1)}, own: v1.ServiceHealth{MaxRestarts: new(int32)}, want: Failed, state: "restarting", reason: v1.ReasonCrashLoop},
		"need not be stable":                     {changes: []func(*engine.Container){ago(0)}, own: v1.ServiceHealth{StableSeconds: new(int32)}, want: Good, state: "running"},
		"was made and not started yet":           {changes: []func(*engine.Container){status("created")}, want: Waiting, state: "created"},
		"cannot be started":                      {changes: []func(*engine.Container){status("created"), func(c *engine.Container) { c.Error = "no such file" }}, want: Failed, state: "created", reason: v1.ReasonContainerFailed, message: "no such file"},
		"dead":                                   {changes: []func(*engine.Container){status("dead")}, want: Failed, state: "dead", reason: v1.ReasonContainerFailed},
		"paused":                                 {changes: []func(*engine.Container){status("paused")}, want: Waiting, state: "paused"},
		"none is there":                          {changes: nil, want: Failed, state: "missing", reason: v1.ReasonContainerFailed, message: "1 of its 1 containers are gone"},
		"started in the future of another clock": {changes: []func(*engine.Container){ago(-time.Minute)}, want: Waiting, state: "starting", next: 65 * time.Second},
	} {
		var seen []engine.Container
		if tc.changes != nil {
			c := engine.Container{ID: "1", Service: "web", Status: "running"}
			for _, change := range tc.changes {
				change(&c)
			}
			seen = append(seen, c)
		}
		h := &v1.DeployHealth{Services: map[string]v1.ServiceHealth{"web": tc.own}}
		j := Judge(map[string]Want{"web": Wanted(h, "web", 1)}, seen, now)
		if len(j.Services) != 1 {
			t.Fatalf("%s: %+v", name, j)
		}
		next := time.Duration(0)
		if !j.Next.IsZero() {
			next = j.Next.Sub(now)
		}
		s := j.Services[0]
		if j.Grade != tc.want || s.State != tc.state || s.Reason != tc.reason || next != tc.next || !strings.Contains(s.Message, tc.message) {
			t.Errorf("%s: %+v, next in %s; want %+v", name, s, next, tc)
		}
	}
}

func TestTheContainerThatIsWorstOffSpeaksForItsService(t *testing.T) {
	now := time.Now()
	seen := []engine.Container{
		{ID: "1", Service: "web", Status: "running", StartedAt: now.Add(-time.Hour)},
		{ID: "2", Service: "web", Status: "exited", ExitCode: 2},
		{ID: "3", Service: "web", Status: "running", StartedAt: now},
		{ID: "4", Service: "db", Status: "running", StartedAt: now.Add(-time.Hour)},
		{ID: "5", Service: "foreign", Status: "dead"},
	}
	j := Judge(map[string]Want{"web": Wanted(nil, "web", 3), "db": Wanted(nil, "db", 1)}, seen, now)
	if len(j.Services) != 2 || j.Grade != Failed {
		t.Fatalf("%+v", j)
	}
	db, web := j.Services[0], j.Services[1]
	if db.Grade != Good || web.Worst != "2" || web.Containers != 3 || web.State != "exited" || *web.ExitCode != 2 {
		t.Errorf("db %+v, web %+v", db, web)
	}
}

func TestSettled(t *testing.T) {
	for name, tc := range map[string]struct {
		container engine.Container
		want      bool
	}{
		"running without a check":             {engine.Container{Status: "running"}, true},
		"running and healthy":                 {engine.Container{Status: "running", Health: "healthy"}, true},
		"a one-shot that ended well":          {engine.Container{Status: "exited"}, true},
		"stopped, and to run always":          {engine.Container{Status: "exited", Policy: "always"}, false},
		"its check has not passed yet":        {engine.Container{Status: "running", Health: "starting"}, false},
		"unhealthy":                           {engine.Container{Status: "running", Health: "unhealthy"}, false},
		"ended with another exit code than 0": {engine.Container{Status: "exited", ExitCode: 1}, false},
		"restarting":                          {engine.Container{Status: "restarting"}, false},
		"made and never started":              {engine.Container{Status: "created"}, false},
	} {
		if got := Settled(tc.container); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestTheProbeMayGoWhereTheDeployPublishes(t *testing.T) {
	seen := []engine.Container{{Ports: []engine.Port{{Number: 8080}}}, {}}
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "127.0.0.1:8081": false, "192.0.2.1:8080": false, "localhost:8080": false, "": false,
	} {
		if got := publishedAt(seen, address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
