package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestADeployRendersItsFilesOnce counts the programs that a deploy starts: docker compose
// config runs once, also where the project's name hangs on variables.
func TestADeployRendersItsFilesOnce(t *testing.T) {
	for name, env := range map[string]string{"a name of the job's": "", "a name with variables": "COMPOSE_PROJECT_NAME=%s\n"} {
		t.Run(name, func(t *testing.T) {
			s := onPlayground(t, service("web", "web", ""))
			dir := t.TempDir()
			log, program := filepath.Join(dir, "log"), filepath.Join(dir, "docker")
			if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$*\" >> "+log+"\nexec docker \"$@\"\n"), 0o700); err != nil { //nolint:gosec // a program
				t.Fatal(err)
			}
			s.r.docker.Program = program
			if env != "" {
				if err := os.WriteFile(filepath.Join(s.r.roots[0].given, ".env"), fmt.Appendf(nil, env, s.name), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, run := range []string{"the first", "one that changes nothing"} {
				if err := os.WriteFile(log, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				o := s.run("acme", v1.DeployUp, func(d *v1.DeployAction) {
					d.Health = &v1.DeployHealth{StableSeconds: new(int32)}
					if env != "" {
						d.ProjectName = ""
					}
				})
				if o.Verdict != action.Succeeded {
					t.Fatalf("%+v\n%s", o, s.log)
				}
				started, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(string(started), " config "); n != 1 {
					t.Errorf("%s: docker compose config ran %d times:\n%s", run, n, started)
				}
				t.Logf("%s: %d programs:\n%s", run, strings.Count(string(started), "\n"), started)
			}
		})
	}
}
