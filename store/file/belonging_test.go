package file_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

func workspace(name string) *v1.Workspace {
	ws := &v1.Workspace{}
	ws.Kind, ws.Name = v1.KindWorkspace, name
	return ws
}

func workspaceKey(name string) store.Key { return store.Key{Kind: v1.KindWorkspace, Name: name} }

func TestAJobIsCreatedOnlyInAWorkspaceThatThereIs(t *testing.T) {
	s, err := file.Open(t.TempDir(), file.Options{MinFree: -1, Workspaces: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Create(t.Context(), benchJob("a")); !errors.Is(err, store.ErrNoWorkspace) {
		t.Errorf("one job without its workspace: %v", err)
	}
	if _, err := s.Create(t.Context(), benchJob("a"), benchJob("b")); !errors.Is(err, store.ErrNoWorkspace) {
		t.Errorf("two jobs without their workspace: %v", err)
	}
	if _, err := s.Create(t.Context(), workspace("acme"), benchJob("a"), benchJob("b")); err != nil {
		t.Errorf("jobs and their workspace: %v", err)
	}
	if _, err := s.Delete(t.Context(), workspaceKey("acme"), store.Preconditions{}); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("delete a workspace with jobs: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := s.Delete(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: name}, store.Preconditions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Delete(t.Context(), workspaceKey("acme"), store.Preconditions{}); err != nil {
		t.Errorf("delete an empty workspace: %v", err)
	}
	if _, err := s.Create(t.Context(), benchJob("c")); !errors.Is(err, store.ErrNoWorkspace) {
		t.Errorf("a job after its workspace: %v", err)
	}
}

// TestNoJobOutlivesItsWorkspace creates jobs while their workspace is deleted and made
// again, over and over: a job that was acknowledged has a workspace ever after.
func TestNoJobOutlivesItsWorkspace(t *testing.T) {
	s, err := file.Open(t.TempDir(), file.Options{MinFree: -1, Workspaces: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var created sync.WaitGroup
	for i := range 4 {
		created.Go(func() {
			for n := range 100 {
				job := benchJob(fmt.Sprintf("j%d-%d", i, n))
				if _, err := s.Create(t.Context(), job); errors.Is(err, store.ErrNoWorkspace) {
					continue
				} else if err != nil {
					t.Error(err)
				}
				if _, err := s.Get(t.Context(), workspaceKey("acme")); err != nil {
					t.Errorf("the workspace of a job that is there: %v", err)
				}
				if _, err := s.Delete(t.Context(), store.KeyOf(job), store.Preconditions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		if _, err := s.Create(t.Context(), workspace("acme")); err != nil && !errors.Is(err, store.ErrExists) {
			t.Error(err)
		}
		if _, err := s.Delete(t.Context(), workspaceKey("acme"), store.Preconditions{}); err != nil && !errors.Is(err, store.ErrNotEmpty) {
			t.Error(err)
		}
	}
	created.Wait()
}
