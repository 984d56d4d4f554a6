package compose

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// turns let one run of docker compose at a time change a project. The controller's
// concurrency key does the same earlier, without taking up a worker; but a job may have a
// key of its own (spec.concurrency), and what two runs make of one project is nobody's
// wish, nor would a revision kept between them be what either of them asked for.
type turns struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the turn ends
}

// take waits for the project's turn, and returns what ends it and whether another run was
// waited for; not ok: ctx ended first.
func (t *turns) take(ctx context.Context, key string, out action.Sink) (end func(), waited, ok bool) {
	if key == "" {
		return func() {}, false, true
	}
	for {
		t.mu.Lock()
		before, taken := t.busy[key]
		if !taken {
			if t.busy == nil {
				t.busy = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			t.busy[key] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.busy, key)
				close(mine)
			}, waited, true
		}
		t.mu.Unlock()
		if !waited {
			waited = true
			out.Line(action.System, "waiting for another run of docker compose over the same project")
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, waited, false
		}
	}
}

// turnOf is the key of the project that a job changes; empty: it changes none.
func (r *Runner) turnOf(project string, job *v1.Job) string {
	switch {
	case r.ConcurrencyKey(job) == "":
		return ""
	case project == "":
		return r.ConcurrencyKey(job) // its run says what is wrong
	}
	return "compose:" + project
}

// namedElsewhere reports whether the project's name may hang on variables.
func namedElsewhere(src source) bool {
	return slices.ContainsFunc(src.files, func(file string) bool {
		return hasLine(file, func(line []byte) bool {
			return bytes.HasPrefix(line, []byte("name:")) && bytes.ContainsRune(line, '$')
		})
	}) || hasLine(filepath.Join(src.folder(), ".env"), func(line []byte) bool {
		return bytes.Contains(line, []byte("COMPOSE_PROJECT_NAME"))
	})
}

// hasLine reports whether a file, if it is there, has such a line.
func hasLine(path string, such func([]byte) bool) bool {
	if info, err := os.Stat(path); err != nil || info.Size() > maxComposeFile {
		return false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	for line := range bytes.Lines(text) {
		if such(line) {
			return true
		}
	}
	return false
}
