package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// defaultFiles are the names compose itself looks for, in its order.
var defaultFiles = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// resolveRoots makes the roots absolute and resolves their links, once.
func resolveRoots(roots []string) ([]string, error) {
	var out []string
	for _, root := range roots {
		path, err := filepath.Abs(root)
		if err == nil {
			path, err = filepath.EvalSymlinks(path)
		}
		if err != nil {
			return nil, fmt.Errorf("--compose-root %q: %w", root, err)
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--compose-root %q: must be a folder", root)
		}
		out = append(out, path)
	}
	return out, nil
}

// find is the compose file that a deploy means, without links, below one of the roots.
func find(roots []string, d *v1.DeployAction) (string, error) {
	if len(roots) == 0 {
		return "", errors.New("this server deploys nothing: start it with --compose-root DIR, the folder of your compose files")
	}
	if d.ComposePath == "" {
		for _, root := range roots {
			for _, name := range defaultFiles {
				if path, err := below(root, filepath.Join(root, name)); err == nil {
					return path, nil
				}
			}
		}
		return "", fmt.Errorf("spec.deploy.composePath: Required value: no %s in any --compose-root (%s)",
			strings.Join(defaultFiles, ", "), strings.Join(roots, ", "))
	}
	var problem error
	for _, root := range roots {
		candidate := d.ComposePath
		if !filepath.IsAbs(candidate) {
			candidate = filepath.Join(root, candidate)
		}
		path, err := below(root, candidate)
		if err == nil {
			return path, nil
		}
		if problem == nil || errors.Is(problem, fs.ErrNotExist) {
			problem = err
		}
	}
	if errors.Is(problem, fs.ErrNotExist) {
		return "", fmt.Errorf("spec.deploy.composePath: Not found: %q below %s", d.ComposePath, strings.Join(roots, ", "))
	}
	return "", fmt.Errorf("spec.deploy.composePath: Invalid value: %q: %w", d.ComposePath, problem)
}

// below resolves a file's links and checks that it lies below root.
func below(root, path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, target)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("it leads to a place outside the --compose-root folders (%s)", root)
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is no file")
	}
	return target, nil
}
