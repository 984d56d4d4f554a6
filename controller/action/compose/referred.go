package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
)

// Whoever may write files below a root decides what these refer to. A job's env comes from
// somebody else: where it is part of the path of a file that compose reads (include, extends,
// env_file, configs, secrets), the file must lie below the root like a compose file.

// variableIn finds the variables of a path.
var variableIn = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// sourceOf is what a job means: its compose files, with nothing outside of the root that the
// job's env would bring in.
func (r *Runner) sourceOf(job *v1.Job) (source, error) {
	src, err := find(r.roots, job.Namespace, job.Spec.Deploy)
	if err != nil {
		return src, err
	}
	if len(job.Spec.Deploy.Env) == 0 {
		return src, nil
	}
	g := guard{root: src.root, project: src.folder(), given: map[string]string{}, seen: map[string]bool{}}
	for _, e := range job.Spec.Deploy.Env {
		g.given[e.Name] = e.Value // a secret's value is part of no path
	}
	g.dotenv = dotenvOf(filepath.Join(src.folder(), ".env"))
	for _, file := range src.files {
		if err := g.check(file); err != nil {
			return source{}, err
		}
	}
	return src, nil
}

// guard checks the paths in compose files that hang on a job's env.
type guard struct {
	root    root
	project string            // the project's folder
	given   map[string]string // the job's env
	dotenv  map[string]string
	seen    map[string]bool // files, by path
}

// check checks a compose file and those that it includes and extends.
func (g *guard) check(file string) error {
	if g.seen[file] || len(g.seen) >= maxFiles {
		return nil
	}
	g.seen[file] = true
	document := documentOf(file)
	folder := filepath.Dir(file)
	for _, path := range referredFiles(document["include"], "path") {
		if err := g.path(file, "include", folder, path, true); err != nil {
			return err
		}
	}
	for _, section := range []string{"configs", "secrets"} {
		definitions, _ := document[section].(map[string]any)
		for _, definition := range definitions {
			for _, path := range referredFiles([]any{definition}, "file") {
				if err := g.path(file, section, g.project, path, false); err != nil {
					return err
				}
			}
		}
	}
	services, _ := document["services"].(map[string]any)
	for _, service := range services {
		s, _ := service.(map[string]any)
		extends, _ := s["extends"].(map[string]any)
		for _, path := range referredFiles(extends["file"], "") {
			if err := g.path(file, "extends", folder, path, true); err != nil {
				return err
			}
		}
		for _, path := range referredFiles(s["env_file"], "path") {
			if err := g.path(file, "env_file", g.project, path, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// path checks one path of a compose file; compose tells that it is a compose file itself.
func (g *guard) path(file, key, folder, path string, compose bool) error {
	resolved, ours := g.resolve(path)
	if !filepath.IsAbs(resolved) {
		resolved = filepath.Join(folder, resolved)
	}
	err := below(g.root, resolved)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(path, "://") && !strings.HasPrefix(path, "git@") && !ours {
		return nil // compose says so
	}
	if err != nil && ours {
		return fmt.Errorf("spec.deploy.env: Invalid value: %s %q of %s: with it, this is no file below the compose root", key, path, filepath.Base(file))
	}
	if err == nil && compose {
		return g.check(resolved)
	}
	return nil
}

// resolve is a path with its variables' values, and whether the job's env is part of it.
func (g *guard) resolve(path string) (resolved string, ours bool) {
	for _, m := range variableIn.FindAllStringSubmatch(path, -1) {
		_, given := g.given[m[1]]
		ours = ours || given
	}
	resolved, err := template.Substitute(path, func(name string) (string, bool) {
		if value, ok := g.given[name]; ok {
			return value, true
		}
		if value, ok := os.LookupEnv(name); ok {
			return value, true
		}
		value, ok := g.dotenv[name]
		return value, ok
	})
	if err != nil {
		return path, ours
	}
	return resolved, ours
}

// documentOf is a compose file; nil: it cannot be read, which compose says.
func documentOf(file string) map[string]any {
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxComposeFile {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var document map[string]any
	if yaml.Unmarshal(data, &document) != nil {
		return nil
	}
	return document
}

// dotenvOf are the variables of a .env; nil: none can be read.
func dotenvOf(file string) map[string]string {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxComposeFile {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	values, err := dotenv.UnmarshalBytesWithLookup(data, nil)
	if err != nil {
		return nil
	}
	return values
}

// referredFiles are the paths in a value that is one, a list of them, or a map with one under
// key.
func referredFiles(value any, key string) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, referredFiles(item, key)...)
		}
		return out
	case map[string]any:
		return referredFiles(v[key], "")
	}
	return nil
}
