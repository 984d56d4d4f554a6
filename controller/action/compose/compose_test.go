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
			got, err := commandLine(&tc.deploy, source{files: []string{file}})
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
	for path, text := range map[string]string{
		"multi/compose.yml": "services: {}", "multi/compose.override.yml": "services: {}", "multi/docker-compose.override.yml": "services: {}",
		"env/compose.yml": "services: {}", "env/prod.yml": "services: {}", "env/compose.override.yml": "services: {}", "env/.env": "A=1\nCOMPOSE_FILE=\"compose.yml:prod.yml\"\n",
		"away-env/compose.yml": "services: {}", "away-env/.env": "COMPOSE_FILE=../../outside/compose.yml\n",
		"gone-env/compose.yml": "services: {}", "gone-env/.env": "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=compose.yml,none.yml\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "root/releases/2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root/releases/2/compose.yml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("releases/2", filepath.Join(dir, "root/current")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "loop-env"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "loop-env/compose.yml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".env", filepath.Join(root, "loop-env/.env")); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path  string
		paths []string
		want  []string
		err   string
	}{
		"below the root":                               {path: "app/compose.yml", want: []string{"app/compose.yml"}},
		"absolute and below":                           {path: filepath.Join(root, "app/compose.yml"), want: []string{"app/compose.yml"}},
		"nothing: the root's own":                      {want: []string{"compose.yaml"}},
		"a link that stays":                            {path: "stays.yml", want: []string{"stays.yml"}},
		"a folder behind a link keeps its name":        {path: "current/compose.yml", want: []string{"current/compose.yml"}},
		"a file and what overrides it":                 {path: "multi/compose.yml", want: []string{"multi/compose.yml", "multi/compose.override.yml"}},
		"a file that is not compose's own choice":      {path: "multi/compose.override.yml", want: []string{"multi/compose.override.yml"}},
		"the files that .env names":                    {path: "env/compose.yml", want: []string{"env/compose.yml", "env/prod.yml"}},
		"several, as asked":                            {paths: []string{"env/compose.yml", "multi/compose.override.yml"}, want: []string{"env/compose.yml", "multi/compose.override.yml"}},
		"one of several that leaves":                   {paths: []string{"env/compose.yml", "leaves.yml"}, err: "spec.deploy.composePaths[1]"},
		"a file outside that .env names":               {path: "away-env/compose.yml", err: "which COMPOSE_FILE in .env names: it leads to a place outside"},
		"a file that .env names and that is not there": {path: "gone-env/compose.yml", err: `Not found: "none.yml", which COMPOSE_FILE in .env names`},
		"an .env that cannot be read":                  {path: "loop-env/compose.yml", err: "the .env beside it cannot be read"},
		"a link that leaves":                           {path: "leaves.yml", err: "outside the compose roots"},
		"a folder that leaves":                         {path: "away/compose.yml", err: "outside the compose roots"},
		"dots":                                         {path: "../outside/compose.yml", err: "outside the compose roots"},
		"absolute and elsewhere":                       {path: filepath.Join(outside, "compose.yml"), err: "outside the compose roots"},
		"not there":                                    {path: "none.yml", err: "Not found"},
		"a folder":                                     {path: "app", err: "it is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := find(roots, "acme", &v1.DeployAction{ComposePath: tc.path, ComposePaths: tc.paths})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("find = %q, %v; want error %q", got.files, err, tc.err)
				}
				if strings.Contains(err.Error(), dir) && !filepath.IsAbs(tc.path) {
					t.Errorf("the error tells a path of the server: %v", err)
				}
				return
			}
			var want []string
			for _, path := range tc.want {
				want = append(want, filepath.Join(root, path))
			}
			if diff := cmp.Diff(want, got.files); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
	if _, err := find(nil, "acme", &v1.DeployAction{}); err == nil || !strings.Contains(err.Error(), "--compose-root") {
		t.Errorf("without roots: %v", err)
	}
	if _, err := New(Options{Roots: []string{filepath.Join(dir, "none")}, Worker: "w"}); err == nil {
		t.Error("a root that is not there was taken")
	}
	own, err := resolveRoots([]string{"acme=" + root})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := find(own, "acme", &v1.DeployAction{}); err != nil || len(got.files) != 1 {
		t.Errorf("the workspace's own root: %v, %v", got, err)
	}
	if got, err := find(own, "rival", &v1.DeployAction{ComposePath: filepath.Join(root, "compose.yaml")}); err == nil {
		t.Errorf("another workspace's root was taken: %v", got)
	}
	for _, bad := range []string{"=" + root, "acme="} {
		if _, err := resolveRoots([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestAFileThatMayNotBeUsedIsNotReplacedByThatOfAnotherRoot also where no path is given.
func TestAFileThatMayNotBeUsedIsNotReplacedByThatOfAnotherRoot(t *testing.T) {
	for name, tc := range map[string]struct {
		link string // what compose.yml of the first root is a link to; empty: it is not there
		err  string
	}{
		"a link that leaves":         {"../outside.yml", "it leads to a place outside the compose roots"},
		"a link to nothing":          {"gone.yml", "compose.yml"},
		"a link to a folder":         {"folder", "it is no file"},
		"a root that lacks the file": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, folder := range []string{"beta/folder", "shared"} {
				if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"outside.yml", "shared/compose.yml"} {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tc.link != "" {
				if err := os.Symlink(tc.link, filepath.Join(dir, "beta/compose.yml")); err != nil {
					t.Fatal(err)
				}
			}
			roots, err := resolveRoots([]string{"beta=" + filepath.Join(dir, "beta"), filepath.Join(dir, "shared")})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []*v1.DeployAction{{}, {ComposePath: "compose.yml"}, {ComposePaths: []string{"compose.yml"}}} {
				got, err := find(roots, "beta", d)
				switch {
				case tc.err == "" && (err != nil || shown(roots, "beta", got) != "compose.yml in root shared"):
					t.Errorf("%q, %q: %q, %v", d.ComposePath, d.ComposePaths, shown(roots, "beta", got), err)
				case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), dir)):
					t.Errorf("%q, %q: %q, %v", d.ComposePath, d.ComposePaths, got.files, err)
				}
			}
			if got, err := find(roots, "beta", &v1.DeployAction{ComposePath: filepath.Join(dir, "shared/compose.yml")}); err != nil {
				t.Errorf("an absolute path below the second root: %q, %v", got.files, err)
			}
		})
	}
}
