package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestFilesBesideTheComposeFileComeBackWithTheirRevision changes a config, a secret, a bound
// file and a bound folder with a deploy that fails, and reads what the service then has
// mounted.
func TestFilesBesideTheComposeFileComeBackWithTheirRevision(t *testing.T) {
	s := onPlayground(t, "")
	root := s.r.roots[0].given
	names := []string{"motd", "password", "app.conf", "conf.d/one", "data/kept"}
	write := func(version string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as a repository has them
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(version+" of "+name), 0o644); err != nil { //nolint:gosec // the same
				t.Fatal(err)
			}
		}
	}
	compose := func(command string) {
		s.file("  app: {image: '" + image + "', command: [" + command + "], stop_grace_period: 1s, configs: [motd], secrets: [password], " +
			"volumes: ['./app.conf:/app.conf', './conf.d:/conf.d:ro', './data:/data']}\n" +
			"configs: {motd: {file: motd}}\nsecrets: {password: {file: password}}\n")
	}
	content := func() string {
		t.Helper()
		ids, _, _ := s.runs("app")
		var out []string
		for _, path := range []string{"/motd", "/run/secrets/password", "/app.conf", "/conf.d/one", "/data/kept"} {
			file := filepath.Join(t.TempDir(), "f")
			s.docker("cp", ids[0]+":"+path, file)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			version, _, _ := strings.Cut(string(text), " ")
			out = append(out, version)
		}
		return strings.Join(out, " ")
	}
	write("v1")
	compose("web")
	s.mustUp()
	if !strings.Contains(s.log, "revision 1 does not hold: data (it is a folder that services may write to)") {
		t.Errorf("the log does not tell what the revision lacks:\n%s", s.log)
	}
	write("v2")
	plan, err := s.r.Plan(t.Context(), s.attempt(v1.DeployUp).Job)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"motd", "password", "app.conf", "conf.d"} {
		if !slices.ContainsFunc(plan.Changes, func(c v1.PlanChange) bool {
			return c.Kind == kindFile && c.Name == name && c.Verb == v1.PlanActionUpdate && strings.Contains(c.Detail, "changed since revision 1")
		}) {
			t.Errorf("the plan lacks %s: %+v", name, plan.Changes)
		}
	}
	compose("fail")
	if o := s.up(); o.Reason != v1.ReasonRolledBack {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	if got := content(); got != "v1 v1 v1 v1 v2" {
		t.Errorf("after the rollback the service reads %s", got)
	}
	if !strings.Contains(s.log, "not brought back, as the revision does not hold it: data") {
		t.Errorf("the log does not tell what was not brought back:\n%s", s.log)
	}
	if o := s.up(); o.Verdict != action.Failed {
		t.Fatalf("%+v", o)
	}
	if got := content(); got != "v1 v1 v1 v1 v2" {
		t.Errorf("after the second rollback the service reads %s", got)
	}
	// A good deploy has the files as they are now, although docker compose sees no change.
	compose("web")
	s.mustUp()
	if got := content(); got != "v2 v2 v2 v2 v2" {
		t.Errorf("after the next deploy the service reads %s\n%s", got, s.log)
	}
}
