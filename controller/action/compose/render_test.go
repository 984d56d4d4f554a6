package compose

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/revisions"
)

func document(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSecretsAreReferences(t *testing.T) {
	d := &v1.DeployAction{Env: []v1.DeployEnv{
		{Name: "PW", ValueFrom: &v1.ValueSource{SecretRef: "db-pw"}},
		{Name: "OTHER", ValueFrom: &v1.ValueSource{SecretRef: "other"}},
		{Name: "PLAIN", Value: "p"},
		{Name: "UNUSED", Value: "u"},
	}}
	marks, refs := marksFor(d, "RANDOM")
	doc := document(t, `
services: {web: {environment: {PW: "jobwright-RANDOM-0-", URL: "db://jobwright-RANDOM-0-@db", KEEP: "a$$b"}}}
secrets: {one: {environment: PW}, two: {environment: PLAIN}, three: {file: /x}}
`)
	env := plainEnv(doc, d)
	refer(doc, marks, refs)
	if diff := cmp.Diff(document(t, `
services: {web: {environment: {PW: "${JOBWRIGHT_SECRET_db_2dpw}", URL: "db://${JOBWRIGHT_SECRET_db_2dpw}@db", KEEP: "a$$b"}}}
secrets: {one: {environment: JOBWRIGHT_SECRET_db_2dpw}, two: {environment: PLAIN}, three: {file: /x}}
`), doc); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"PLAIN": "p"}, env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"db-pw"}, revisions.ReferredSecrets(doc, []string{"other", "db-pw", "db-pw"})); diff != "" {
		t.Error(diff)
	}
}
