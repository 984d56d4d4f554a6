package revisions

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
)

func document(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// made is a container of a service that runs from an image.
func made(service, imageID, hash string) engine.Container {
	return engine.Container{Name: "shop-" + service + "-1", Service: service, Image: "shop-" + service, ImageID: imageID, ConfigHash: hash, Status: "running"}
}

func TestARevisionIsWhatRan(t *testing.T) {
	rendered := document(t, `
name: shop
services:
  built: {build: {context: /srv}, depends_on: {never: {condition: service_started}}}
  scaled: {image: "app:1", deploy: {replicas: 2}, profiles: [big]}
  more: {image: "app:1", scale: 1}
  never: {image: "app:1"}
`)
	got, list := Revise(rendered, []engine.Container{
		made("built", "sha256:b", "h1"), made("scaled", "sha256:s", "h2"), made("scaled", "sha256:s", "h2"), made("scaled", "sha256:s", "h2"),
		made("more", "sha256:m", "h3"), made("more", "sha256:m", "h3"), made("stranger", "sha256:x", "h4"),
	}, map[string]string{"sha256:s": "app@sha256:1"})
	want := document(t, `
name: shop
services:
  built: {image: "sha256:b", pull_policy: never}
  scaled: {image: "sha256:s", pull_policy: never, deploy: {replicas: 3}}
  more: {image: "sha256:m", pull_policy: never, scale: 2}
`)
	if diff := cmp.Diff(plain(t, want), plain(t, got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]v1.RevisionService{
		{Name: "built", Image: "shop-built", ImageID: "sha256:b", ConfigHash: "h1", Replicas: 1, State: v1.RevisionRunning},
		{Name: "more", Image: "app:1", ImageID: "sha256:m", ConfigHash: "h3", Replicas: 2, State: v1.RevisionRunning},
		{Name: "scaled", Image: "app:1", ImageID: "sha256:s", Digest: "app@sha256:1", ConfigHash: "h2", Replicas: 3, State: v1.RevisionRunning},
	}, list); diff != "" {
		t.Error(diff)
	}
}

// plain is a value as JSON has it, where an int is a float64.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatADeployDidNotCoverIsCarriedAlong(t *testing.T) {
	revision := func(text string, names ...string) *Revision {
		r := &Revision{Document: document(t, text)}
		for _, name := range names {
			r.Services = append(r.Services, v1.RevisionService{Name: name, ImageID: "sha256:" + name})
		}
		return r
	}
	before := revision(`
services:
  web: {image: old}
  db: {image: db, depends_on: {gone: {condition: service_started}, web: {condition: service_started}}, volumes: [data]}
  gone: {image: gone}
volumes: {data: {}}
networks: {default: {name: old}}
`, "db", "gone", "web")
	before.Env = map[string]string{"A": "old", "B": "b"}
	now := revision("services: {web: {image: new}}\nnetworks: {default: {name: new}}\n", "web")
	now.Env = map[string]string{"A": "new"}
	Carry(now, before, []string{"web"}, []engine.Container{made("web", "", ""), made("db", "", "")})
	want := revision(`
services:
  web: {image: new}
  db: {image: db, depends_on: {web: {condition: service_started}}, volumes: [data]}
volumes: {data: {}}
networks: {default: {name: new}}
`, "db", "web")
	want.Env = map[string]string{"A": "new", "B": "b"}
	if diff := cmp.Diff(want, now); diff != "" {
		t.Error(diff)
	}
	full := revision("services: {web: {image: new}}\n", "web")
	Carry(full, before, []string{"web", "db"}, []engine.Container{made("db", "", "")})
	if len(full.Services) != 1 || len(Services(full.Document)) != 1 {
		t.Errorf("what was covered and did not run was carried: %+v", full)
	}
}
