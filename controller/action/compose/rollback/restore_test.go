package rollback

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// made is a container of a service that runs from an image.
func made(service, imageID, hash string) engine.Container {
	return engine.Container{Name: "shop-" + service + "-1", Service: service, Image: "shop-" + service, ImageID: imageID, ConfigHash: hash, Status: "running"}
}

func TestAServiceThatStandsAsRevised(t *testing.T) {
	want := v1.RevisionService{Name: "web", ImageID: "sha256:1", ConfigHash: "h", Replicas: 1}
	ended := func(code int) engine.Container {
		c := made("web", "sha256:1", "h")
		c.Status, c.ExitCode = "exited", code
		return c
	}
	unhealthy := made("web", "sha256:1", "h")
	unhealthy.Health = "unhealthy"
	stopped := ended(0)
	stopped.Policy = "always"
	for name, tc := range map[string]struct {
		containers []engine.Container
		want       bool
	}{
		"as it was":                  {[]engine.Container{made("web", "sha256:1", "h")}, true},
		"as a rollback made it":      {[]engine.Container{made("web", "sha256:1", "other")}, true},
		"a one-shot that ended well": {[]engine.Container{ended(0)}, true},
		"one that ended badly":       {[]engine.Container{ended(1)}, false},
		"unhealthy":                  {[]engine.Container{unhealthy}, false},
		"stopped, to run always":     {[]engine.Container{stopped}, false},
		"another image":              {[]engine.Container{made("web", "sha256:2", "h")}, false},
		"another configuration":      {[]engine.Container{made("web", "sha256:1", "new")}, false},
		"one too many":               {[]engine.Container{made("web", "sha256:1", "h"), made("web", "sha256:1", "h")}, false},
		"not there":                  {nil, false},
	} {
		if got := asRevised(tc.containers, want, "other"); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	want.State = v1.RevisionRunning
	if asRevised([]engine.Container{ended(0)}, want) {
		t.Error("a service that ran counts as it was though it has ended with exit code 0")
	}
}

// TestAnImageThatIsGoneIsPulledByItsDigest plays an engine, as no registry is at hand.
func TestAnImageThatIsGoneIsPulledByItsDigest(t *testing.T) {
	root := t.TempDir()
	r := Restorer{Docker: engine.Docker{Program: filepath.Join(root, "docker"), Worker: t.Name() + root}}
	rev := &revisions.Revision{}
	rev.Services = []v1.RevisionService{{Name: "web", Image: "web:1", ImageID: "sha256:0123456789abcdef", Digest: "web@sha256:1"}}
	for name, tc := range map[string]struct{ pull, err string }{
		"pulled":           {"touch " + root + "/there", ""},
		"not to be pulled": {"echo denied >&2; exit 1", "ended with exit code 1: denied"},
		"another image":    {"true", "web@sha256:1 is another one"},
	} {
		script := "#!/bin/sh\ncase \"$*\" in\n'image inspect -- sha256:0123456789abcdef') [ -e " + root + "/there ];;\n'image pull --quiet -- web@sha256:1') " + tc.pull + ";;\n*) exit 9;;\nesac\n"
		if err := os.WriteFile(r.Docker.Program, []byte(script), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		err := r.needImages(t.Context(), action.Attempt{ID: "a"}, rev, []string{"web"}, discard{})
		if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		}
		if err := os.RemoveAll(filepath.Join(root, "there")); err != nil {
			t.Fatal(err)
		}
	}
}

// discard is a sink for what is not looked at.
type discard struct{}

func (discard) Line(action.Stream, string) {}
func (discard) Progress(int, string)       {}
func (discard) Result(v1.JSON)             {}
