package compose

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/secrets"
)

// neverHealthy is a service whose deploy goes on until somebody stops it.
var neverHealthy = "  app: {image: '" + image + "', command: [two], stop_grace_period: 1s, healthcheck: {test: [CMD, /app, fail], interval: 1s, retries: 1000, start_period: 1h}}\n"

// TestAStoppedDeployIsRolledBack asks a deploy to stop that has changed the project.
func TestAStoppedDeployIsRolledBack(t *testing.T) {
	s := onPlayground(t, "  app: {image: '"+image+"', command: [one], stop_grace_period: 1s}\n")
	s.mustUp()
	args := func() string {
		ids, _, _ := s.runs("app")
		return s.docker("inspect", "--format={{.Args}} {{.State.Status}}", ids[0])
	}
	// In this order: each begins with what the revision has.
	for _, policy := range []v1.RollbackPolicy{v1.RollbackOnFailure, v1.RollbackNever} {
		want := map[v1.RollbackPolicy]string{v1.RollbackOnFailure: "[one] running", v1.RollbackNever: "[two] running"}[policy]
		s.file(neverHealthy)
		a := s.attempt(v1.DeployUp)
		a.Job.Namespace, a.Job.Spec.Deploy.Rollback = "acme", policy
		ctx, cancel := context.WithCancel(t.Context())
		out := &recorder{onLog: func(line string) {
			if strings.HasSuffix(line, "Waiting") || strings.HasSuffix(line, "Started") {
				cancel()
			}
		}}
		o := s.r.Run(ctx, a, out)
		if o.Verdict != action.Stopped || args() != want || strings.Contains(o.Message, "Revision 1 was brought back") != (policy == v1.RollbackOnFailure) {
			t.Errorf("%s: %+v, runs %s\n%s", policy, o, args(), out.text.String())
		}
		// What the deploy had left is no news after a rollback, and its health was not seen.
		if left := strings.Contains(o.Message, "was stopped; "); left == (policy == v1.RollbackOnFailure) ||
			strings.Contains(o.Message, "healthy was not waited for") != (policy == v1.RollbackOnFailure) {
			t.Errorf("%s: %s", policy, o.Message)
		}
		cancel()
	}
}

// TestAStopDoesNotCutARollbackInHalves asks a deploy to stop while it is rolled back.
func TestAStopDoesNotCutARollbackInHalves(t *testing.T) {
	s := onPlayground(t, "  app: {image: '"+image+"', command: [one], stop_grace_period: 1s}\n")
	s.mustUp()
	s.file("  app: {image: '" + image + "', command: [fail]}\n")
	a := s.attempt(v1.DeployUp)
	a.Job.Namespace, a.Job.Spec.Deploy.Rollback = "acme", v1.RollbackOnFailure
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &recorder{onLog: func(line string) {
		if strings.Contains(line, "bringing back revision 1") {
			cancel()
		}
	}}
	o := s.r.Run(ctx, a, out)
	if o.Reason != v1.ReasonRolledBack {
		t.Errorf("within its grace: %+v\n%s", o, out.text.String())
	}
	s.wantRunning("app", s.docker("images", "--no-trunc", "--quiet", image))
}

func TestWhatStandsInTheWayOfARollbackIsSaid(t *testing.T) {
	s := onPlayground(t, "")
	dir := t.TempDir()
	for name, text := range map[string]string{"secrets.yaml": "mode: {file: " + dir + "/mode}\n", "mode": "serving"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.r.secrets, err = secrets.Load(filepath.Join(dir, "secrets.yaml")); err != nil {
		t.Fatal(err)
	}
	up := func(secret bool) action.Outcome {
		return s.run("acme", v1.DeployUp, func(d *v1.DeployAction) {
			d.Rollback = v1.RollbackOnFailure
			if secret {
				d.Env = []v1.DeployEnv{{Name: "MODE", ValueFrom: &v1.ValueSource{SecretRef: "mode"}}}
			}
		})
	}
	s.file("  app: {image: '" + image + "', command: ['${MODE}'], stop_grace_period: 1s}\n")
	if o := up(true); o.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	s.file("  app: {image: '" + image + "', command: [fail], stop_grace_period: 1s}\n")
	if err := os.Remove(filepath.Join(dir, "mode")); err != nil {
		t.Fatal(err)
	}
	if o := up(false); o.Reason != v1.ReasonRollbackFailed || !strings.Contains(o.Message, "secret mode: its file cannot be read: no such file") || !strings.Contains(o.Message, "exit code 3") {
		t.Errorf("a secret that is gone: %+v", o)
	}
	// The revision's own program fails now: what was good then need not be for ever.
	if err := os.WriteFile(filepath.Join(dir, "mode"), []byte("fail"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := up(false)
	if o.Reason != v1.ReasonRollbackFailed || !strings.Contains(o.Message, "Revision 1 could not be brought back") || !strings.Contains(o.Message, "exit code 3") {
		t.Errorf("a revision that fails: %+v\n%s", o, s.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "mode"), []byte("serving again"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := up(false); o.Reason != v1.ReasonRolledBack {
		t.Errorf("with a new value: %+v\n%s", o, s.log)
	}
	ids, _, _ := s.runs("app")
	if got := s.docker("inspect", "--format={{json .Args}}", ids[0]); got != `["serving again"]` {
		t.Errorf("it runs %s", got)
	}
}

// TestARecoveredUpKeepsItsRevision: the server died between the good end of a deploy and
// its word about it.
func TestARecoveredUpKeepsItsRevision(t *testing.T) {
	s := onPlayground(t, web)
	kept := s.r.revisions
	s.r.revisions = nil
	s.mustUp()
	s.r.revisions = kept
	a := s.attempt(v1.DeployUp)
	a.Job.Namespace = "acme"
	o, err := s.r.Recover(t.Context(), a)
	if err != nil || o.Verdict != action.Succeeded {
		t.Fatalf("%+v, %v", o, err)
	}
	s.wantResult(o, "1 <nil>")
	if numbers, err := kept.Numbers(s.name); !slices.Equal(numbers, []int64{1}) || err != nil {
		t.Errorf("%v, %v", numbers, err)
	}
	if o, err := s.r.Recover(t.Context(), s.attempt(v1.DeployRollback)); err != nil || o.Verdict != action.Lost || !o.Repeatable {
		t.Errorf("a lost rollback: %+v, %v", o, err)
	}
	// An up that is good and cannot be kept is good, and says so.
	if err := os.RemoveAll(filepath.Dir(kept.Path(s.name, 1))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(kept.Path(s.name, 1)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := s.up(); o.Verdict != action.Succeeded || !strings.Contains(o.Message, "was not kept as a revision") {
		t.Errorf("without a place to keep it: %+v", o)
	}
}
