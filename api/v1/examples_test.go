package v1

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestExamplesAreValid decodes every manifest that the README and `make run`
// show, strictly, and validates it as the server does.
func TestExamplesAreValid(t *testing.T) {
	const folder = "../../manifests/examples"
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[JobType]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var job Job
			if err := yaml.UnmarshalStrict(text, &job); err != nil {
				t.Fatal(err)
			}
			if job.APIVersion != APIVersion || job.Kind != KindJob {
				t.Errorf("is a %s %s, want a %s %s", job.APIVersion, job.Kind, APIVersion, KindJob)
			}
			if job.Namespace != "" {
				t.Errorf("names the workspace %s, so it cannot be applied to another", job.Namespace)
			}
			job.Namespace = DefaultWorkspace
			job.Default()
			for _, err := range ValidateJob(&job) {
				t.Error(err)
			}
			if d := job.Spec.Deploy; d != nil {
				if _, err := os.Stat(filepath.Join(folder, "compose", d.ComposePath)); err != nil {
					t.Errorf("deploys a file that is not below the folder compose: %v", err)
				}
			}
			seen[job.Spec.Type] = true
		})
	}
	for _, jobType := range Payloads().Types() {
		if !seen[jobType] {
			t.Errorf("%s shows no job of type %s", folder, jobType)
		}
	}
}
