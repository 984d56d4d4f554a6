package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
)

// TestAJobsEnvBringsInNoFileFromOutside: what the compose file's author refers to stands, and
// what a job's env makes of it lies below the root.
func TestAJobsEnvBringsInNoFileFromOutside(t *testing.T) {
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	for path, text := range map[string]string{
		"evil.yml": "services: {}\n", "evil.env": "A=b\n", "root/app/own.yml": "services: {}\n",
		"root/app/nested.yml": "include: ['${PART}.yml']\n",
	} {
		path = filepath.Join(outside, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := New(Options{Roots: []string{root}, Worker: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file, part string
		want       string // in the error; empty: none
	}{
		"include of the author's":                 {"include: [../../evil.yml]\n", "x", ""},
		"include below the root":                  {"include: ['${PART}.yml']\n", "own", ""},
		"include through the env":                 {"include: ['${PART}.yml']\n", "../../evil", "include"},
		"include as a map":                        {"include: [{path: ['${PART:-own}.yml']}]\n", "../../evil", "include"},
		"include of an include":                   {"include: [nested.yml]\n", "../../evil", "include"},
		"include from elsewhere":                  {"include: ['${PART}']\n", "https://example.com/x.git", "include"},
		"extends through the env":                 {"services: {web: {extends: {file: '$PART.yml', service: web}}}\n", "../../evil", "extends"},
		"env_file through the env":                {"services: {web: {env_file: [{path: '${PART}.env'}]}}\n", "../../evil", "env_file"},
		"a config through the env":                {"configs: {motd: {file: '${PART}.env'}}\n", "../../evil", "configs"},
		"a secret through the env":                {"secrets: {motd: {file: '${PART}.env'}}\n", outside + "/evil", "secrets"},
		"a variable that is not the job's":        {"include: ['${OTHER:-../../evil}.yml']\n", "x", ""},
		"a file that is not there, by the author": {"include: [none.yml]\n", "x", ""},
	} {
		if err := os.WriteFile(filepath.Join(root, "app", "compose.yml"), []byte(tc.file), 0o600); err != nil {
			t.Fatal(err)
		}
		job := &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: v1.DeployUp, ComposePath: "app/compose.yml", Env: []v1.DeployEnv{{Name: "PART", Value: tc.part}}}}}
		_, err := r.sourceOf(job)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), "spec.deploy.env: Invalid value: "+tc.want)):
			t.Errorf("%s: %v, want it refused for its %s", name, err, tc.want)
		case err != nil && strings.Contains(err.Error(), outside) && !strings.HasPrefix(tc.part, outside):
			t.Errorf("%s: a path of the server is told: %v", name, err)
		}
	}
}
