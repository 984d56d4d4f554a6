package compose

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) func(*observed) { return func(c *observed) { c.StartedAt = now.Add(-d) } }
	old, young := ago(time.Hour), ago(time.Second)
	status := func(s string) func(*observed) { return func(c *observed) { c.Status = s } }
	healthy := func(h string) func(*observed) { return func(c *observed) { c.Health = h } }
	exited := func(code int) func(*observed) {
		return func(c *observed) { c.Status, c.ExitCode = "exited", code }
	}
	restarts := func(n int) func(*observed) { return func(c *observed) { c.Restarts, c.Policy = n, "always" } }
	policy := func(p string) func(*observed) { return func(c *observed) { c.Policy = p } }
	expect := func(e v1.ServiceExpectation) v1.ServiceHealth { return v1.ServiceHealth{Expect: e} }
	for name, tc := range map[string]struct {
		changes []func(*observed)
		own     v1.ServiceHealth
		want    grade
		state   string
		reason  string
		next    time.Duration // after now; 0: never
		message string
	}{
		"runs for long":                          {changes: []func(*observed){old}, want: good, state: "running"},
		"has just been started":                  {changes: []func(*observed){young}, want: waiting, state: "starting", next: 4 * time.Second, message: "counts as up when it does so for 5s"},
		"runs for exactly as long as it must":    {changes: []func(*observed){ago(5 * time.Second)}, want: good, state: "running"},
		"healthy, and just started":              {changes: []func(*observed){young, healthy("healthy")}, want: good, state: "healthy"},
		"healthy, but restarted a moment ago":    {changes: []func(*observed){young, healthy("healthy"), restarts(1)}, want: waiting, state: "starting", next: 4 * time.Second},
		"not healthy yet":                        {changes: []func(*observed){old, healthy("starting")}, want: waiting, state: "starting", message: "has not passed yet"},
		"unhealthy":                              {changes: []func(*observed){old, healthy("unhealthy"), func(c *observed) { c.Check = "no answer" }}, want: failed, state: "unhealthy", reason: v1.ReasonUnhealthy, message: "no answer"},
		"a one-shot that has ended well":         {changes: []func(*observed){exited(0)}, want: good, state: "completed"},
		"a one-shot that is to be restarted":     {changes: []func(*observed){exited(0), policy("always")}, want: failed, state: "exited", reason: v1.ReasonContainerFailed, message: "stopped by something else"},
		"ended with another exit code":           {changes: []func(*observed){exited(3)}, want: failed, state: "exited", reason: v1.ReasonContainerFailed, message: "exit code 3"},
		"ended well, and is to run":              {changes: []func(*observed){exited(0)}, own: expect(v1.ExpectRunning), want: failed, state: "exited", reason: v1.ReasonContainerFailed, message: "is to run"},
		"ended anyhow, as allowed":               {changes: []func(*observed){exited(3)}, own: expect(v1.ExpectAny), want: good, state: "exited"},
		"runs, and is to end":                    {changes: []func(*observed){old}, own: expect(v1.ExpectCompleted), want: waiting, state: "running"},
		"out of memory":                          {changes: []func(*observed){exited(137), func(c *observed) { c.OOMKilled = true }}, want: failed, state: "exited", reason: v1.ReasonContainerFailed, message: "out of memory"},
		"restarts as often as it may":            {changes: []func(*observed){status("restarting"), restarts(5)}, want: waiting, state: "restarting"},
		"restarts once more":                     {changes: []func(*observed){status("restarting"), restarts(6)}, want: failed, state: "restarting", reason: v1.ReasonCrashLoop, message: "restarted 6 times, health.maxRestarts is 5"},
		"runs again after too many restarts":     {changes: []func(*observed){young, restarts(6)}, want: failed, state: "restarting", reason: v1.ReasonCrashLoop},
		"has come to rest after many restarts":   {changes: []func(*observed){old, restarts(6)}, want: good, state: "running"},
		"may not restart at all":                 {changes: []func(*observed){status("restarting"), restarts(1)}, own: v1.ServiceHealth{MaxRestarts: new(int32)}, want: failed, state: "restarting", reason: v1.ReasonCrashLoop},
		"need not be stable":                     {changes: []func(*observed){ago(0)}, own: v1.ServiceHealth{StableSeconds: new(int32)}, want: good, state: "running"},
		"was made and not started yet":           {changes: []func(*observed){status("created")}, want: waiting, state: "created"},
		"cannot be started":                      {changes: []func(*observed){status("created"), func(c *observed) { c.Error = "no such file" }}, want: failed, state: "created", reason: v1.ReasonContainerFailed, message: "no such file"},
		"dead":                                   {changes: []func(*observed){status("dead")}, want: failed, state: "dead", reason: v1.ReasonContainerFailed},
		"paused":                                 {changes: []func(*observed){status("paused")}, want: waiting, state: "paused"},
		"none is there":                          {changes: nil, want: failed, state: "missing", reason: v1.ReasonContainerFailed, message: "1 of its 1 containers are gone"},
		"started in the future of another clock": {changes: []func(*observed){ago(-time.Minute)}, want: waiting, state: "starting", next: 65 * time.Second},
	} {
		var seen []observed
		if tc.changes != nil {
			c := observed{ID: "1", Service: "web", Status: "running"}
			for _, change := range tc.changes {
				change(&c)
			}
			seen = append(seen, c)
		}
		h := &v1.DeployHealth{Services: map[string]v1.ServiceHealth{"web": tc.own}}
		j := judge(map[string]want{"web": wanted(h, "web", 1)}, seen, now)
		if len(j.services) != 1 {
			t.Fatalf("%s: %+v", name, j)
		}
		next := time.Duration(0)
		if !j.next.IsZero() {
			next = j.next.Sub(now)
		}
		s := j.services[0]
		if j.grade != tc.want || s.State != tc.state || s.reason != tc.reason || next != tc.next || !strings.Contains(s.Message, tc.message) {
			t.Errorf("%s: %+v, next in %s; want %+v", name, s, next, tc)
		}
	}
}

func TestTheContainerThatIsWorstOffSpeaksForItsService(t *testing.T) {
	now := time.Now()
	seen := []observed{
		{ID: "1", Service: "web", Status: "running", StartedAt: now.Add(-time.Hour)},
		{ID: "2", Service: "web", Status: "exited", ExitCode: 2},
		{ID: "3", Service: "web", Status: "running", StartedAt: now},
		{ID: "4", Service: "db", Status: "running", StartedAt: now.Add(-time.Hour)},
		{ID: "5", Service: "foreign", Status: "dead"},
	}
	j := judge(map[string]want{"web": wanted(nil, "web", 3), "db": wanted(nil, "db", 1)}, seen, now)
	if len(j.services) != 2 || j.grade != failed {
		t.Fatalf("%+v", j)
	}
	db, web := j.services[0], j.services[1]
	if db.grade != good || web.worst != "2" || web.Containers != 3 || web.State != "exited" || *web.ExitCode != 2 {
		t.Errorf("db %+v, web %+v", db, web)
	}
}

// TestMendLeavesNothingInBetween looks at what a stopped docker compose may leave.
func TestMendLeavesNothingInBetween(t *testing.T) {
	ran := observed{ID: "old", Name: "p-web-1", Service: "web", Status: "running"}
	with := func(c observed, status, name string) observed {
		c.Status, c.Name = status, name
		return c
	}
	fresh := observed{ID: "new", Name: "p-web-1", Service: "web"}
	all := func(string) bool { return true }
	for name, tc := range map[string]struct {
		before, now []observed
		made        func(string) bool
		want        string
	}{
		"nothing has changed":                          {[]observed{ran}, []observed{ran}, all, ""},
		"the new one was made, the old one still runs": {[]observed{ran}, []observed{ran, with(fresh, "created", "0123456789ab_p-web-1")}, all, "container rm -- new"},
		"the old one was stopped":                      {[]observed{ran}, []observed{with(ran, "exited", ran.Name), with(fresh, "created", "0123456789ab_p-web-1")}, all, "container rm -- new; container start -- old"},
		"the old one is gone":                          {[]observed{ran}, []observed{with(fresh, "created", "0123456789ab_p-web-1")}, all, "container rename -- new p-web-1; container start -- new"},
		"the new one was never started":                {[]observed{ran}, []observed{with(fresh, "created", "p-web-1")}, all, "container start -- new"},
		"the new one runs":                             {[]observed{ran}, []observed{with(fresh, "running", "p-web-1")}, all, ""},
		"somebody else's":                              {[]observed{ran}, []observed{ran, with(fresh, "created", "p-other-1")}, func(string) bool { return false }, ""},
		"one that had not run before stays so":         {[]observed{with(ran, "exited", ran.Name)}, []observed{with(ran, "exited", ran.Name)}, all, ""},
	} {
		var got []string
		for _, deed := range mend(tc.before, tc.now, tc.made) {
			got = append(got, strings.Join(deed, " "))
		}
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%s: %v, want %s", name, got, tc.want)
		}
	}
}

func TestAStageThatGetsNowhereIsToldFromOneThatGetsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		past := make(chan string, 10)
		start := int32(10)
		w := newWatchdog(limitsOf(&v1.DeployLimits{StartSeconds: &start}), func(e *exceeded) { past <- e.Error() })
		for range 100 { // an image comes slowly, for 25 minutes
			w.progress(pulling)
			time.Sleep(15 * time.Second)
		}
		w.progress(starting)
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		if len(past) > 0 {
			t.Fatalf("it was given up: %v", <-past)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		const want = "creating and starting containers got nowhere for 10s; spec.deploy.limits.startSeconds is 10, and the deploy had taken 25m10s"
		if len(past) != 1 {
			t.Fatalf("it was given up %d times", len(past))
		}
		if got := <-past; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		w.progress(starting) // too late
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(past) > 0 {
			t.Error("it was given up twice")
		}
		w.stop()
	})
}

func TestTheProbeMayGoWhereTheDeployPublishes(t *testing.T) {
	seen := []observed{{Ports: []published{{port: 8080}}}, {}}
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "127.0.0.1:8081": false, "192.0.2.1:8080": false, "localhost:8080": false, "": false,
	} {
		if got := publishedAt(seen, address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
