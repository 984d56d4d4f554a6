package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/compose-spec/compose-go/v2/dotenv"

	v1 "jobwright.dev/api/v1"
)

// The names that compose itself looks for in a folder, in its order, and those of the files
// that it lays over them (compose-go, cli.DefaultFileNames, cli.DefaultOverrideFileNames).
var (
	defaultFiles  = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
	overrideFiles = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
)

// maxFiles bounds how many compose files a folder's .env may name.
const maxFiles = 50

// root is a folder below which compose files may lie.
type root struct {
	workspace string // whose it is; empty: every workspace's
	given     string // absolute, as the operator gave it
	resolved  string // without symbolic links
}

// resolveRoots reads "DIR" and "WORKSPACE=DIR" and resolves their links, once.
func resolveRoots(given []string) ([]root, error) {
	var out []root
	for _, text := range given {
		r := root{given: text}
		if workspace, dir, ok := strings.Cut(text, "="); ok && !strings.ContainsRune(workspace, filepath.Separator) {
			r.workspace, r.given = workspace, dir
			if workspace == "" || dir == "" {
				return nil, fmt.Errorf("--compose-root %q: must be a folder, or WORKSPACE=FOLDER", text)
			}
		}
		path, err := filepath.Abs(r.given)
		if err == nil {
			r.given = path
			path, err = filepath.EvalSymlinks(path)
		}
		if err != nil {
			return nil, fmt.Errorf("--compose-root %q: %w", text, err)
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--compose-root %q: must be a folder", text)
		}
		r.resolved = path
		out = append(out, r)
	}
	return out, nil
}

// rootsOf are the roots that a workspace may use.
func rootsOf(roots []root, workspace string) []root {
	return slices.DeleteFunc(slices.Clone(roots), func(r root) bool { return r.workspace != "" && r.workspace != workspace })
}

// source is the compose files of a deploy, at the paths that were asked for: compose takes
// the project's folder, and from it the project's name, from the first one.
type source struct {
	root  root
	files []string
}

func (s source) folder() string { return filepath.Dir(s.files[0]) }

// find is what a deploy means. Every file lies below one of the workspace's roots, with
// symbolic links resolved. A file that has one of compose's default names stands for what
// compose itself would choose in its folder.
func find(roots []root, workspace string, d *v1.DeployAction) (source, error) {
	roots = rootsOf(roots, workspace)
	if len(roots) == 0 {
		return source{}, errors.New("this server deploys nothing for this workspace: start it with --compose-root DIR, the folder of your compose files, or WORKSPACE=DIR")
	}
	if len(d.ComposePaths) > 0 {
		var out source
		for i, path := range d.ComposePaths {
			r, file, err := locate(roots, path, fmt.Sprintf("spec.deploy.composePaths[%d]", i))
			if err != nil {
				return source{}, err
			}
			if i == 0 {
				out.root = r
			}
			out.files = append(out.files, file)
		}
		return out, nil
	}
	if d.ComposePath == "" {
		for _, r := range roots {
			for _, name := range defaultFiles {
				path := filepath.Join(r.given, name)
				switch err := below(r, path); {
				case err == nil:
					return choose(r, path)
				case !absent(path):
					return source{}, fmt.Errorf("spec.deploy.composePath: Invalid value: %q: %w", name, withoutPath(err))
				}
			}
		}
		return source{}, fmt.Errorf("spec.deploy.composePath: Required value: there is no %s in a compose root", strings.Join(defaultFiles, ", "))
	}
	r, file, err := locate(roots, d.ComposePath, "spec.deploy.composePath")
	if err != nil {
		return source{}, err
	}
	if !slices.Contains(defaultFiles, filepath.Base(file)) {
		return source{root: r, files: []string{file}}, nil
	}
	return choose(r, file)
}

// locate finds a file below one of the roots. Of a relative path it is the first root that has
// it: a file there that may not be used is refused, and that of a later root does not stand in
// for it.
func locate(roots []root, path, field string) (root, string, error) {
	var problem error
	for _, r := range roots {
		candidate := path
		if !filepath.IsAbs(candidate) {
			candidate = filepath.Join(r.given, candidate)
		}
		err := below(r, candidate)
		if err == nil {
			return r, filepath.Clean(candidate), nil
		}
		if problem == nil || errors.Is(problem, fs.ErrNotExist) {
			problem = err
		}
		if filepath.IsLocal(path) && !absent(candidate) {
			problem = err
			break
		}
	}
	if errors.Is(problem, fs.ErrNotExist) {
		return root{}, "", fmt.Errorf("%s: Not found: %q below the compose roots", field, path)
	}
	return root{}, "", fmt.Errorf("%s: Invalid value: %q: %w", field, path, withoutPath(problem))
}

// absent reports whether there is nothing at a path, not even a link that leads nowhere.
func absent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// withoutPath is an error for a client, who learns no path of the server.
func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// shown are the files of a source for a person: below their roots, with the name of the root
// where the workspace has several.
func shown(roots []root, workspace string, src source) string {
	roots = rootsOf(roots, workspace)
	var names []string
	for _, file := range src.files {
		name := filepath.Base(file)
		for _, r := range roots {
			if rel, err := filepath.Rel(r.given, file); err == nil && filepath.IsLocal(rel) {
				if name = rel; len(roots) > 1 {
					name += " in root " + filepath.Base(r.given)
				}
				break
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// choose is what compose itself chooses where file lies: the files that COMPOSE_FILE in the
// folder's .env names, or else the file and the one that overrides it.
func choose(r root, file string) (source, error) {
	folder := filepath.Dir(file)
	names, err := composeFileOf(folder)
	if err != nil {
		return source{}, err
	}
	if len(names) == 0 {
		out := source{root: r, files: []string{file}}
		for _, name := range overrideFiles {
			path := filepath.Join(folder, name)
			if _, err := os.Stat(path); err != nil {
				continue
			}
			if err := below(r, path); err != nil {
				return source{}, fmt.Errorf("spec.deploy.composePath: Invalid value: %q beside it: %w", name, err)
			}
			out.files = append(out.files, path)
			break
		}
		return out, nil
	}
	out := source{root: r}
	for _, name := range names {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		if err := below(r, path); errors.Is(err, fs.ErrNotExist) {
			return source{}, fmt.Errorf("spec.deploy.composePath: Not found: %q, which COMPOSE_FILE in .env names", name)
		} else if err != nil {
			return source{}, fmt.Errorf("spec.deploy.composePath: Invalid value: %q, which COMPOSE_FILE in .env names: %w", name, err)
		}
		out.files = append(out.files, path)
	}
	return out, nil
}

// composeFileOf are the files that COMPOSE_FILE in a folder's .env names; none: it is not set.
func composeFileOf(folder string) ([]string, error) {
	path := filepath.Join(folder, ".env")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, errors.New("spec.deploy.composePath: Invalid value: the .env beside it cannot be read")
	case !info.Mode().IsRegular():
		return nil, nil
	}
	if info.Size() > maxComposeFile {
		return nil, fmt.Errorf("spec.deploy.composePath: Invalid value: the .env beside it has more than %d bytes", maxComposeFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("spec.deploy.composePath: Invalid value: the .env beside it cannot be read")
	}
	values, err := dotenv.UnmarshalBytesWithLookup(data, nil)
	if err != nil {
		return nil, nil //nolint:nilerr // compose says what is wrong with it
	}
	separator := values["COMPOSE_PATH_SEPARATOR"]
	if separator == "" {
		separator = string(os.PathListSeparator)
	}
	if values["COMPOSE_FILE"] == "" {
		return nil, nil
	}
	names := strings.Split(values["COMPOSE_FILE"], separator)
	if len(names) > maxFiles {
		return nil, fmt.Errorf("spec.deploy.composePath: Invalid value: COMPOSE_FILE in .env names %d files, at most %d are allowed", len(names), maxFiles)
	}
	return names, nil
}

// below checks that a file, with its links resolved, lies below a root.
func below(r root, path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(r.resolved, target)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return errors.New("it leads to a place outside the compose roots")
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no file")
	}
	return nil
}
