package rollback

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// copies are the kept copies that stand for files that are not as in a revision any more, by
// the original's path, and the services that read or mount them.
type copies struct {
	paths    map[string]string
	services map[string][]string // the copies of each
	// lost says what can be neither found nor brought back.
	lost []string
}

// copiesFor compares the files beside a revision's compose file with what they were.
func (r Restorer) copiesFor(rev *revisions.Revision) copies {
	c := copies{paths: map[string]string{}, services: map[string][]string{}}
	revisions.Mounted(rev.Document, func(path string, writable bool, services []string) string {
		i := slices.IndexFunc(rev.Files, func(f revisions.File) bool { return f.Path == path })
		if i < 0 {
			return path
		}
		f := rev.Files[i]
		if f.Hash != "" && revisions.Hashed(path, writable).Hash == f.Hash {
			return path
		}
		if !r.Revisions.HasFile(rev.Project, f) {
			if f.Unkept != "" {
				c.lost = append(c.lost, fmt.Sprintf("%s (it %s)", relative(rev.Folder, path), f.Unkept))
			}
			return path
		}
		c.paths[path] = r.Revisions.KeptPath(rev.Project, f)
		for _, service := range services {
			c.services[service] = append(c.services[service], c.paths[path])
		}
		return path
	})
	return c
}

// relative is a path as a person who knows the project's folder reads it.
func relative(folder, path string) string {
	if rel, err := filepath.Rel(folder, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return filepath.Base(path)
}

// mounted reports whether the containers of a service have mounted the copies that it needs.
func (c copies) mounted(service string, containers []engine.Container) bool {
	for _, copied := range c.services[service] {
		if slices.ContainsFunc(containers, func(own engine.Container) bool { return !slices.Contains(own.Mounts, copied) }) {
			return false
		}
	}
	return true
}

// file is the compose file of a revision with the copies in their places.
func (r Restorer) file(rev *revisions.Revision, c copies) (string, error) {
	if len(c.paths) == 0 {
		return r.Revisions.Path(rev.Project, rev.Number), nil
	}
	text, err := json.Marshal(rev.Document)
	if err != nil {
		return "", err
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		return "", err
	}
	revisions.Mounted(document, func(path string, _ bool, _ []string) string {
		if copied, ok := c.paths[path]; ok {
			return copied
		}
		return path
	})
	return r.Revisions.WriteRestored(rev.Project, document)
}
