package revisions_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/revisions"
)

func open(t *testing.T, limit int) (*revisions.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "revisions")
	s, err := revisions.Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// shop is a revision whose web service runs an image.
func shop(workspace, image string) *revisions.Revision {
	r := &revisions.Revision{
		Workspace: workspace, Folder: "/srv/a$b", Env: map[string]string{"PLAIN": "$5"},
		Document: map[string]any{"name": "shop", "services": map[string]any{"web": map[string]any{"image": "sha256:" + image, "command": []any{"a$$b"}}}},
	}
	r.Project, r.Job, r.Secrets = "shop", "deploy", []string{"db"}
	r.Services = []v1.RevisionService{{Name: "web", Image: "web:latest", ImageID: "sha256:" + image, ConfigHash: "h", Replicas: 1}}
	return r
}

func add(t *testing.T, s *revisions.Store, r *revisions.Revision) []*revisions.Revision {
	t.Helper()
	dropped, err := s.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

func TestARevisionComesBackAsItWasKept(t *testing.T) {
	s, dir := open(t, 3)
	want := shop("acme", "1")
	add(t, s, want)
	got, err := s.Last("shop")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Same(want) || got.Same(shop("acme", "2")) || got.Same(shop("other", "1")) {
		t.Error("Same is wrong")
	}
	for path, mode := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "shop"): 0o700, s.Path("shop", 1): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want mode %v", path, info.Mode(), err, mode)
		}
	}
	// Compose reads the file too: a single $ would be a variable to it.
	text, err := os.ReadFile(s.Path("shop", 1))
	if err != nil || !strings.Contains(string(text), "/srv/a$$b") || !strings.Contains(string(text), "$$5") {
		t.Errorf("%v\n%s", err, text)
	}
	var file map[string]any
	if err := yaml.Unmarshal(text, &file); err != nil || file["name"] != "shop" {
		t.Errorf("no YAML: %v", err)
	}
}

func TestTheOldestGoAndNumbersRise(t *testing.T) {
	s, _ := open(t, 2)
	for n := int64(1); n <= 4; n++ {
		dropped := add(t, s, shop("acme", fmt.Sprint(n)))
		if n <= 2 && len(dropped) > 0 || n > 2 && (len(dropped) != 1 || dropped[0].Number != n-2) {
			t.Errorf("adding %d dropped %v", n, dropped)
		}
	}
	numbers, err := s.Numbers("shop")
	if diff := cmp.Diff([]int64{3, 4}, numbers); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := s.Get("shop", 1); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("what was dropped: %v", err)
	}
	if _, err := s.Last("nothing"); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("an unknown project: %v", err)
	}
	if _, err := revisions.Open(t.TempDir(), 1); err == nil {
		t.Error("a limit of 1 was taken")
	}
}

func TestADamagedFileIsRefused(t *testing.T) {
	for name, damage := range map[string]func(text string) string{
		"cut off":              func(text string) string { return text[:len(text)-5] },
		"empty":                func(string) string { return "" },
		"changed":              func(text string) string { return strings.Replace(text, "web:latest", "web:newest", 1) },
		"without its checksum": func(text string) string { _, rest, _ := strings.Cut(text, "\n"); return rest },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t, 5)
			add(t, s, shop("acme", "1"))
			add(t, s, shop("acme", "2"))
			path := s.Path("shop", 2)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(damage(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Last("shop"); !errors.Is(err, revisions.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "deploy again") {
				t.Errorf("Last: %v", err)
			}
			history, err := s.History("acme", "shop")
			if err != nil || len(history) != 2 || history[0].Damaged == "" || history[1].Number != 1 {
				t.Errorf("History: %+v, %v", history, err)
			}
			add(t, s, shop("acme", "3"))
			if last, err := s.Last("shop"); err != nil || last.Number != 3 {
				t.Errorf("after the next one: %+v, %v", last, err)
			}
		})
	}
	t.Run("of another number", func(t *testing.T) {
		s, _ := open(t, 5)
		add(t, s, shop("acme", "1"))
		if err := os.Rename(s.Path("shop", 1), s.Path("shop", 7)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get("shop", 7); !errors.Is(err, revisions.ErrDamaged) || !strings.Contains(err.Error(), "it says that it is revision 1 of shop") {
			t.Errorf("%v", err)
		}
	})
}

func TestWhatACrashHasLeftIsNoRevision(t *testing.T) {
	s, _ := open(t, 5)
	add(t, s, shop("acme", "1"))
	half := filepath.Join(filepath.Dir(s.Path("shop", 2)), ".2.yaml8674665223082153551")
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if numbers, err := s.Numbers("shop"); len(numbers) != 1 || err != nil {
		t.Errorf("%v, %v", numbers, err)
	}
	r := shop("acme", "2")
	add(t, s, r)
	if _, err := os.Stat(half); r.Number != 2 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("revision %d; what was half done: %v", r.Number, err)
	}
}

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	s, dir := open(t, 5)
	if err := os.WriteFile(filepath.Join(dir, "shop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(shop("acme", "1")); err == nil {
		t.Error("a file in the folder's place was taken")
	}
	r := shop("acme", "1")
	r.Project = "../escape"
	if _, err := s.Add(r); err == nil {
		t.Error("a project outside the folder was taken")
	}
	if _, err := s.Get("../escape", 1); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("a project outside the folder: %v", err)
	}
}

func TestAWorkspaceSeesItsOwnHistory(t *testing.T) {
	s, _ := open(t, 9)
	for _, r := range []*revisions.Revision{shop("acme", "1"), shop("other", "2"), shop("acme", "3")} {
		add(t, s, r)
	}
	history, err := s.History("acme", "shop")
	if err != nil || len(history) != 2 {
		t.Fatalf("%+v, %v", history, err)
	}
	const want = `diff revision 1 revision 3
--- revision 1
+++ revision 3
@@ -3,4 +3,4 @@
   web:
     command:
     - a$$b
-    image: sha256:1
+    image: sha256:3
`
	if diff := cmp.Diff(want, history[0].Diff); diff != "" {
		t.Error(diff)
	}
	if history[0].Number != 3 || history[1].Number != 1 || history[1].Diff != "" || !strings.Contains(history[1].Compose, "sha256:1") || strings.Contains(history[1].Compose, "x-jobwright") {
		t.Errorf("%+v", history)
	}
	for workspace, want := range map[string]int{"acme": 3, "other": 2} {
		newest, err := s.Newest(workspace)
		if err != nil || len(newest) != 1 || newest[0].Number != int64(want) {
			t.Errorf("%s: %+v, %v", workspace, newest, err)
		}
	}
	if history, err := s.History("nobody", "shop"); len(history) != 0 || err != nil {
		t.Errorf("another workspace: %+v, %v", history, err)
	}
}

func TestVariablesOfSecretsAreNamesAndNotShared(t *testing.T) {
	seen := map[string]string{}
	for _, secret := range []string{"db", "a-b", "a_b", "a.b", "a2db", "a_2db", "DB_PASSWORD"} {
		v := revisions.Variable(secret)
		if strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			t.Errorf("%s is no name of a variable", v)
		}
		if other, ok := seen[v]; ok {
			t.Errorf("%s and %s share %s", secret, other, v)
		}
		seen[v] = secret
	}
}
