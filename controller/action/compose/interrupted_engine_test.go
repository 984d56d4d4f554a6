package compose

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/repair"
	"jobwright.dev/controller/action/process"
)

// draining is a service whose container takes two seconds to stop.
func draining(version string) string {
	return "  queue: {image: '" + image + "', command: [drain, '2'], pull_policy: never, stop_grace_period: 60s, environment: {VERSION: '" + version + "'}}\n"
}

// TestARecreateThatIsCutOffLeavesNoServiceDown cuts docker compose off while the old
// container drains, in every way there is.
func TestARecreateThatIsCutOffLeavesNoServiceDown(t *testing.T) {
	cut := map[string]func(s *playground, a action.Attempt, cancel context.CancelFunc){
		"canceled": func(_ *playground, _ action.Attempt, cancel context.CancelFunc) { cancel() },
		"killed": func(s *playground, a action.Attempt, _ context.CancelFunc) {
			if n, err := process.Reap(t.Context(), s.r.docker.Worker, a.ID); n == 0 || err != nil {
				t.Errorf("killed %d, %v", n, err)
			}
		},
	}
	for name, how := range cut {
		for _, policy := range []v1.RollbackPolicy{v1.RollbackOnFailure, v1.RollbackNever} {
			t.Run(name+", "+string(policy), func(t *testing.T) {
				s := onPlayground(t, draining("1"))
				s.mustUp()
				s.file(draining("2"))
				a := s.attempt(v1.DeployUp)
				a.Job.Namespace, a.Job.Spec.Deploy.Rollback, a.Grace = "acme", policy, 2*time.Second
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var once sync.Once
				out := &recorder{onLog: func(line string) {
					if strings.HasSuffix(line, "Recreate") {
						once.Do(func() { s.untilSuccessor(); how(s, a, cancel) })
					}
				}}
				o := s.r.Run(ctx, a, out)
				if o.Verdict == action.Succeeded {
					t.Errorf("a deploy that was cut off succeeded: %+v", o)
				}
				s.wantOneRunning("queue", out.text.String()+o.Message)
				if _, err := s.r.revisions.Interrupted(s.name); err == nil {
					t.Error("the record of the deploy is left")
				}
			})
		}
	}
}

// TestARecreateWhoseServerDiedIsMendedAtRecovery plays the server: it has written down what
// it does, has begun, and is gone.
func TestARecreateWhoseServerDiedIsMendedAtRecovery(t *testing.T) {
	s := onPlayground(t, draining("1"))
	s.mustUp()
	s.file(draining("2"))
	a := s.attempt(v1.DeployUp)
	a.ID += "-dead"
	s.dieInRecreate(a)
	o, err := s.r.Recover(t.Context(), a)
	if err != nil || o.Verdict != action.Lost || !o.Repeatable {
		t.Errorf("%+v, %v", o, err)
	}
	s.wantOneRunning("queue", "")
}

// TestARecreateWhoseServerDiedIsMendedByTheNextDeploy is the same without a recovery.
func TestARecreateWhoseServerDiedIsMendedByTheNextDeploy(t *testing.T) {
	s := onPlayground(t, draining("1"))
	s.mustUp()
	s.file(draining("2"))
	a := s.attempt(v1.DeployUp)
	a.ID += "-dead"
	s.dieInRecreate(a)
	if o := s.up(); o.Verdict != action.Succeeded {
		t.Errorf("%+v\n%s", o, s.log)
	}
	s.wantOneRunning("queue", s.log)
	ids, _, _ := s.runs("queue")
	if env := s.docker("inspect", "--format={{.Config.Env}}", ids[0]); !strings.Contains(env, "VERSION=2") {
		t.Errorf("it runs with %s", env)
	}
}

// TestWhatIsNotProvenAfterACrashIsNoSuccess recovers deploys whose containers run, and are
// not yet what the job asks for.
func TestWhatIsNotProvenAfterACrashIsNoSuccess(t *testing.T) {
	needEngine(t)
	for name, tc := range map[string]struct {
		services string
		change   func(*v1.DeployAction)
	}{
		"a one-shot that still runs": {service("migrate", "tick, '600', '1'", ""), func(d *v1.DeployAction) {
			d.Health = &v1.DeployHealth{Services: map[string]v1.ServiceHealth{"migrate": {Expect: v1.ExpectCompleted}}}
		}},
		"a server that has not run for long enough": {service("web", "web", ""), func(d *v1.DeployAction) {
			stable := int32(3600)
			d.Health = &v1.DeployHealth{StableSeconds: &stable}
		}},
		"a crash loop that is just running": {service("web", "tick, '600', '1'", ", restart: always"), func(d *v1.DeployAction) {
			stable := int32(3600)
			d.Health = &v1.DeployHealth{StableSeconds: &stable, MaxRestarts: new(int32)}
		}},
		"a probe that is not answered": {service("web", "web", ""), func(d *v1.DeployAction) {
			d.Health = &v1.DeployHealth{StableSeconds: new(int32), Probe: &v1.HTTPProbe{URL: "http://127.0.0.1:1/"}}
		}},
		"a health check that has not passed": {service("web", "web", ", healthcheck: {test: [CMD, /app, check], interval: 1h}"), func(*v1.DeployAction) {}},
	} {
		t.Run(name, func(t *testing.T) {
			s := onPlayground(t, tc.services)
			a := s.attempt(v1.DeployUp)
			tc.change(a.Job.Spec.Deploy)
			s.compose("up", "--detach")
			if o, err := s.r.Recover(t.Context(), a); err != nil || o.Verdict != action.Lost || !o.Repeatable {
				t.Errorf("%+v, %v", o, err)
			}
			if n, err := s.r.revisions.Numbers(s.name); err == nil && len(n) > 0 {
				t.Errorf("what nobody has judged good is kept as revision %v", n)
			}
		})
	}
}

// compose runs docker compose over the project by hand.
func (s *playground) compose(args ...string) string {
	s.t.Helper()
	return s.docker(append([]string{"compose", "--file=" + s.r.roots[0].given + "/compose.yml", "--project-name=" + s.name}, args...)...)
}

// untilSuccessor waits until a container beside the old one has been made.
func (s *playground) untilSuccessor() {
	for len(strings.Fields(s.docker("ps", "--all", "--quiet", "--filter=label=com.docker.compose.project="+s.name))) < 2 {
	}
}

// dieInRecreate begins an up as an attempt does and kills it while the old container drains.
func (s *playground) dieInRecreate(a action.Attempt) {
	s.t.Helper()
	project := s.r.project(a, s.name)
	if err := project.SetClock(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	before, err := project.Containers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := repair.Begin(s.r.revisions, project, "up", before); err != nil {
		s.t.Fatal(err)
	}
	src := source{files: []string{s.r.roots[0].given + "/compose.yml"}}
	p, err := process.Start(s.r.spec(a, src, append(base(a.Job.Spec.Deploy, src), "up", "--detach")))
	if err != nil {
		s.t.Fatal(err)
	}
	s.untilSuccessor()
	if err := p.Kill(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// wantOneRunning fails unless a service has one container, which runs under its own name,
// and goes on doing so once everything that was asked to stop has stopped.
func (s *playground) wantOneRunning(service, log string) {
	s.t.Helper()
	for range 2 {
		containers, err := s.r.project(s.attempt(v1.DeployPs), s.name).Containers(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if len(containers) != 1 || containers[0].Status != "running" || containers[0].Name != s.name+"-"+service+"-1" {
			s.t.Fatalf("left: %+v\n%s", containers, log)
		}
		// As long as the old container takes to drain, by its own exit: docker wait returns
		// when it ends, and the timeout is the proof that it does not.
		ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
		err = s.r.docker.Do(ctx, "wait-"+s.name, "wait", containers[0].ID)
		cancel()
		if err == nil {
			s.t.Fatalf("the container ended after all\n%s", log)
		}
	}
}
