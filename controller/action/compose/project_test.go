package compose

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestTheKeyNamesTheProjectAsComposeDoes compares with compose's own word.
func TestTheKeyNamesTheProjectAsComposeDoes(t *testing.T) {
	needEngine(t)
	root := t.TempDir()
	r, err := New(Options{Roots: []string{root}, Worker: "key-" + root})
	if err != nil {
		t.Fatal(err)
	}
	for path, head := range map[string]string{"My.Shop_1/compose.yml": "", "__Under Score/compose.yml": "", "named/compose.yml": "name: shop-2\n"} {
		file := filepath.Join(r.roots[0].given, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(head+"services: {a: {image: a}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, given := range []string{"", "given"} {
			d := &v1.DeployAction{Verb: v1.DeployUp, ComposePath: path, ProjectName: given}
			job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: d}}
			var config struct {
				Name string `json:"name"`
			}
			err := r.docker.Output(t.Context(), r.spec(action.Attempt{ID: "key", Job: job}, source{files: []string{file}}, append(base(d, source{files: []string{file}}), "config", "--format=json")), func(stdout io.Reader) error {
				return json.NewDecoder(stdout).Decode(&config)
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.ConcurrencyKey(job); got != "compose:"+config.Name {
				t.Errorf("%s, project %q: key %q, and compose says %q", path, given, got, config.Name)
			}
		}
	}
}
