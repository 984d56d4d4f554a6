package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

func TestProjectsAreChangedByOneRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns turns
		running, most, ended := 0, 0, 0
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				end, _, ok := turns.take(t.Context(), "compose:shop", quiet{})
				if !ok {
					t.Error("a turn was not given")
					return
				}
				running++
				most = max(most, running)
				time.Sleep(time.Second)
				running--
				ended++
				end()
			})
		}
		other, _, ok := turns.take(t.Context(), "compose:other", quiet{})
		if !ok {
			t.Fatal("another project waits too")
		}
		other()
		if end, _, ok := turns.take(t.Context(), "", quiet{}); !ok {
			t.Error("what changes nothing waits")
		} else {
			end()
		}
		all.Wait()
		if most != 1 || ended != 5 || len(turns.busy) != 0 {
			t.Errorf("%d at once, %d ended, %d left", most, ended, len(turns.busy))
		}
		end, _, _ := turns.take(t.Context(), "compose:shop", quiet{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, ok := turns.take(ctx, "compose:shop", quiet{}); ok {
			t.Error("a turn was given twice")
		}
		end()
	})
}

// TestTwoDeploysOfOneProjectNeverOverlap starts the second while the first is at work, as
// jobs with concurrency keys of their own may.
func TestTwoDeploysOfOneProjectNeverOverlap(t *testing.T) {
	s := onPlayground(t, web)
	var began atomic.Bool // the second one
	ended := make(chan action.Outcome, 1)
	waits := make(chan struct{})
	second := &recorder{onLog: func(line string) {
		if strings.HasPrefix(line, "waiting for another run") {
			close(waits)
			return
		}
		began.Store(true)
	}}
	var start sync.Once
	first := &recorder{onLog: func(line string) {
		if began.Load() {
			t.Errorf("the first said %q while the second was at work", line)
		}
		if strings.Contains(line, "Container") {
			start.Do(func() {
				go func() { ended <- s.r.Run(t.Context(), s.attempt(v1.DeployDown, "-t", "1"), second) }()
				select {
				case <-waits:
				case o := <-ended:
					t.Errorf("the second did not wait: %+v", o)
					ended <- o
				}
			})
		}
	}}
	if o := s.r.Run(t.Context(), s.attempt(v1.DeployUp), first); o.Verdict != action.Succeeded {
		t.Errorf("first: %+v", o)
	}
	if o := <-ended; o.Verdict != action.Succeeded {
		t.Errorf("second: %+v", o)
	}
	if ids, _, _ := s.runs("web"); len(ids) > 0 {
		t.Errorf("the second did not have the last word: %v", ids)
	}
}

func TestTheTurnIsThatOfTheProjectThatComposeMeans(t *testing.T) {
	needEngine(t)
	root := t.TempDir()
	r, err := New(Options{Roots: []string{root}, Worker: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	web := "services: {web: {image: x}}\n"
	for name, tc := range map[string]struct {
		file, dotenv string
		deploy       v1.DeployAction
		want         string
	}{
		"a name with a variable": {"name: ${P}\n" + web, "", v1.DeployAction{Verb: "up", Env: []v1.DeployEnv{{Name: "P", Value: "shop"}}}, "compose:shop"},
		"a name in .env":         {web, "COMPOSE_PROJECT_NAME=other\n", v1.DeployAction{Verb: "up"}, "compose:other"},
		"as the job says":        {"name: ${P}\n" + web, "", v1.DeployAction{Verb: "up", ProjectName: "mine"}, "compose:mine"},
		"a plain name":           {"name: plain\n" + web, "", v1.DeployAction{Verb: "up"}, "compose:plain"},
		"a broken file":          {"name: ${P}\nservices: [\n", "", v1.DeployAction{Verb: "up"}, "compose:abrokenfile"},
		"what changes nothing":   {"name: ${P}\n" + web, "", v1.DeployAction{Verb: "ps"}, ""},
	} {
		folder := filepath.Join(root, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"compose.yml": tc.file, ".env": tc.dotenv} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tc.deploy.ComposePath = name + "/compose.yml"
		job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &tc.deploy}}
		project, _ := r.projectOf(t.Context(), action.Attempt{ID: "a", Job: job})
		if got := r.turnOf(project, job); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
