package compose

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// TestAProjectIsListedUntilItIsForgotten follows a project from its deploy to the end of what
// is kept of it.
func TestAProjectIsListedUntilItIsForgotten(t *testing.T) {
	s := onPlayground(t, service("web", "web", "")+service("once", "once", ""))
	if err := os.WriteFile(filepath.Join(s.r.roots[0].given, "motd"), []byte("v1"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := func(workspace string) v1.Project {
		t.Helper()
		list, err := s.r.Projects(t.Context(), workspace)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if p.Name == s.name {
				return p
			}
		}
		return v1.Project{}
	}
	s.mustUp()
	p := one("acme")
	if p.State != v1.ProjectUp || len(p.Services) != 2 || p.Services[0] != (v1.ProjectService{Name: "once", Containers: 1}) ||
		p.Services[1] != (v1.ProjectService{Name: "web", Containers: 1, Running: 1}) ||
		p.Revisions != 1 || p.Newest != 1 || p.Deployed == nil || p.Images != 1 || p.ImageBytes == 0 {
		t.Errorf("%+v", p)
	}
	if p := one("other"); p.Name != "" {
		t.Errorf("another workspace sees %+v", p)
	}
	if err := s.r.Forget(t.Context(), "other", s.name); !errors.Is(err, ErrNoProject) {
		t.Errorf("forgotten by another workspace: %v", err)
	}
	if err := s.r.Forget(t.Context(), "acme", s.name); !errors.Is(err, ErrProjectRuns) {
		t.Errorf("forgotten while it runs: %v", err)
	}
	if o := s.run("acme", v1.DeployStop, func(d *v1.DeployAction) { d.Services = []string{"web"}; d.ExtraArgs = []string{"--timeout=1"} }); o.Verdict != action.Succeeded {
		t.Fatalf("%+v", o)
	}
	if p := one("acme"); p.Services[1].Running != 0 {
		t.Errorf("stopped: %+v", p)
	}
	if o := s.run("acme", v1.DeployDown, func(d *v1.DeployAction) { d.ExtraArgs = []string{"--timeout=1"} }); o.Verdict != action.Succeeded {
		t.Fatalf("%+v", o)
	}
	if p := one("acme"); p.State != v1.ProjectDown || p.Revisions != 1 {
		t.Errorf("down: %+v", p)
	}
	if err := s.r.Forget(t.Context(), "acme", s.name); err != nil {
		t.Fatal(err)
	}
	if p := one("acme"); p.Name != "" {
		t.Errorf("forgotten, and there is %+v", p)
	}
	if held := s.docker("images", "--quiet", "--filter=reference=jobwright-kept:"+s.name+".*"); held != "" {
		t.Errorf("images are held: %s", held)
	}
	if _, err := s.r.revisions.Owner(s.name); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("its owner: %v", err)
	}
}
