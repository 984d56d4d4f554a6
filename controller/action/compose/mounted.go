package compose

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// maxMounted bounds how many files beside the compose file a deploy reads.
const maxMounted = 200

// mountedFiles are the files below the root that the services of a rendered compose file read or
// mount, as they are now, by path.
func mountedFiles(src source, document map[string]any) []revisions.File {
	var out []revisions.File
	revisions.Mounted(document, func(path string, writable bool, _ []string) string {
		seen := slices.ContainsFunc(out, func(f revisions.File) bool { return f.Path == path })
		if !seen && len(out) < maxMounted && within(src.root, path) {
			out = append(out, revisions.Hashed(path, writable))
		}
		return path
	})
	slices.SortFunc(out, func(a, b revisions.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// within reports whether a path, with its links resolved, lies below a root.
func within(r root, path string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	for _, base := range []string{r.resolved, r.given} {
		if rel, err := filepath.Rel(base, target); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// shownPath is a path as somebody who knows the project's folder reads it.
func shownPath(folder, path string) string {
	if rel, err := filepath.Rel(folder, path); err == nil {
		return rel
	}
	return filepath.Base(path)
}

// unkept names the files that a revision does not hold; empty: it holds all.
func unkept(folder string, rev *revisions.Revision) string {
	var out []string
	for _, f := range rev.Files {
		if f.Unkept != "" {
			out = append(out, fmt.Sprintf("%s (it %s)", shownPath(folder, f.Path), f.Unkept))
		}
	}
	return strings.Join(out, ", ")
}

// planFiles compares the files that services read or mount with those of the last revision.
func planFiles(folder string, rendered *rendering, last *revisions.Revision) []v1.PlanChange {
	users := map[string][]string{}
	revisions.Mounted(rendered.document, func(path string, _ bool, services []string) string {
		users[path] = append(users[path], services...)
		return path
	})
	var out []v1.PlanChange
	for _, f := range rendered.files {
		if last == nil || f.Hash == "" {
			continue
		}
		i := slices.IndexFunc(last.Files, func(own revisions.File) bool { return own.Path == f.Path })
		if i < 0 || last.Files[i].Hash == f.Hash {
			continue
		}
		out = append(out, v1.PlanChange{Verb: v1.PlanActionUpdate, Kind: kindFile, Name: shownPath(folder, f.Path), Detail: fmt.Sprintf(
			"its content has changed since revision %d; docker compose does not make %s anew for that, --force-recreate does", last.Number, strings.Join(slices.Compact(users[f.Path]), ", "))})
	}
	return out
}

// onCopies reports whether a service of the deploy runs on files that a rollback has brought
// back: docker compose would not notice that the files beside the compose file are others.
func (d *deploy) onCopies() bool {
	return d.r.revisions != nil && slices.ContainsFunc(d.before, func(c engine.Container) bool {
		return slices.Contains(d.rendering.covered, c.Service) && slices.ContainsFunc(c.Mounts, d.r.revisions.Holds)
	})
}
