package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
)

func TestCommandLine(t *testing.T) {
	const file = "/srv/app/compose.yml"
	lead := []string{"compose", "--ansi=never", "--progress=json", "--file=" + file}
	for name, tc := range map[string]struct {
		deploy v1.DeployAction
		want   []string // after what every command begins with
		err    string
	}{
		"up is detached":                 {v1.DeployAction{Verb: "up"}, []string{"up", "--detach"}, ""},
		"waiting is not left to compose": {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--wait", "--wait-timeout", "3"}}, []string{"up", "--detach"}, ""},
		"-d says what is done anyway":    {v1.DeployAction{Verb: "up", ExtraArgs: []string{"-d"}}, []string{"up", "--detach"}, ""},
		"a value may follow its flag":    {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--pull", "never"}}, []string{"up", "--detach", "--pull=never"}, ""},
		"a value may stand in the flag":  {v1.DeployAction{Verb: "stop", ExtraArgs: []string{"--timeout=3"}}, []string{"stop", "--timeout=3"}, ""},
		"a short flag with its value":    {v1.DeployAction{Verb: "stop", ExtraArgs: []string{"-t", "3"}}, []string{"stop", "-t", "3"}, ""},
		"project, profiles, services": {
			v1.DeployAction{Verb: "restart", ProjectName: "p", Profiles: []string{"a"}, Services: []string{"web"}},
			[]string{"--project-name=p", "--profile=a", "restart", "--", "web"},
			"",
		},
		"logs never follow":                {v1.DeployAction{Verb: "logs", ExtraArgs: []string{"--follow"}}, nil, `spec.deploy.extraArgs[0]: Unsupported value: "--follow": supported values: `},
		"a flag of another verb":           {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--rmi", "all"}}, nil, "Unsupported value"},
		"another compose file":             {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--file=/etc/x"}}, nil, "Unsupported value"},
		"a value that does not fit":        {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--pull=--build"}}, nil, "the value of --pull must match"},
		"a value where there is none":      {v1.DeployAction{Verb: "up", ExtraArgs: []string{"--build=x"}}, nil, "--build takes no value"},
		"a value that is missing":          {v1.DeployAction{Verb: "stop", ExtraArgs: []string{"-t"}}, nil, "-t needs a value"},
		"a service that looks like a flag": {v1.DeployAction{Verb: "up", Services: []string{"--privileged"}}, nil, "spec.deploy.services[0]"},
		"a profile that looks like a flag": {v1.DeployAction{Verb: "up", Profiles: []string{"-x"}}, nil, "spec.deploy.profiles[0]"},
		"a project that looks like a flag": {v1.DeployAction{Verb: "up", ProjectName: "--x"}, nil, "spec.deploy.projectName"},
		"a verb that is none":              {v1.DeployAction{Verb: "exec"}, nil, `spec.deploy.verb: Unsupported value: "exec"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := commandLine(&tc.deploy, file)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error = %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(slices.Clone(lead), tc.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilesOnlyBelowTheRoots(t *testing.T) {
	dir := t.TempDir()
	root, outside := filepath.Join(dir, "root"), filepath.Join(dir, "outside")
	for _, path := range []string{"root/app/compose.yml", "root/compose.yaml", "outside/compose.yml"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("services: {}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"root/leaves.yml": "../outside/compose.yml", "root/away": "../outside", "root/stays.yml": "app/compose.yml",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	roots, err := resolveRoots([]string{root})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ path, want, err string }{
		"below the root":          {"app/compose.yml", "app/compose.yml", ""},
		"absolute and below":      {filepath.Join(roots[0], "app/compose.yml"), "app/compose.yml", ""},
		"nothing: the root's own": {"", "compose.yaml", ""},
		"a link that stays":       {"stays.yml", "app/compose.yml", ""},
		"a link that leaves":      {"leaves.yml", "", "outside the --compose-root"},
		"a folder that leaves":    {"away/compose.yml", "", "outside the --compose-root"},
		"dots":                    {"../outside/compose.yml", "", "outside the --compose-root"},
		"absolute and elsewhere":  {filepath.Join(outside, "compose.yml"), "", "outside the --compose-root"},
		"not there":               {"none.yml", "", "Not found"},
		"a folder":                {"app", "", "it is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := find(roots, &v1.DeployAction{ComposePath: tc.path})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("find = %q, %v; want error %q", got, err, tc.err)
				}
				return
			}
			if want := filepath.Join(roots[0], tc.want); got != want || err != nil {
				t.Errorf("find = %q, %v; want %q", got, err, want)
			}
		})
	}
	if _, err := find(nil, &v1.DeployAction{}); err == nil || !strings.Contains(err.Error(), "--compose-root") {
		t.Errorf("without roots: %v", err)
	}
	if _, err := New(Options{Roots: []string{filepath.Join(dir, "none")}, Worker: "w"}); err == nil {
		t.Error("a root that is not there was taken")
	}
	if _, err := find(roots[:0:0], &v1.DeployAction{}); err == nil {
		t.Error("no roots were taken")
	}
}
