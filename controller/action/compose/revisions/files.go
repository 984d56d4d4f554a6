package revisions

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"sigs.k8s.io/yaml"

	"jobwright.dev/store/filedb"
)

// The bounds of what is kept of one path: configuration is small, and what is larger is data.
const (
	maxKeptFiles = 100
	maxKeptBytes = 4 << 20
)

// File is a file, or a folder, beside the compose file that services mount.
type File struct {
	// Path is absolute, as the compose file has it.
	Path string `json:"path"`
	// Hash is of names, modes and contents; empty: it is not known.
	Hash string `json:"hash,omitempty"`
	// Unkept is why the revision does not hold it; empty: the revision does.
	Unkept string `json:"unkept,omitempty"`
}

// filesFolder lies beside the revisions of a project.
const filesFolder = "files"

// KeptPath is where the copy of a kept file is.
func (s *Store) KeptPath(project string, f File) string {
	return filepath.Join(s.dir, project, filesFolder, f.Hash, filepath.Base(f.Path))
}

// Holds reports whether a path on this host is that of a kept copy.
func (s *Store) Holds(path string) bool {
	return strings.HasPrefix(path, s.dir+string(filepath.Separator))
}

// content is what stands below a path.
type content map[string]struct {
	data []byte
	mode fs.FileMode
}

// readContent reads a file or folder within the bounds; the error says for a person why not.
func readContent(path string) (content, error) {
	out, size := content{}, int64(0)
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return errors.New("cannot be read")
		}
		info, err := entry.Info()
		if file == path {
			info, err = os.Stat(path) // it may be a symbolic link itself
		}
		switch {
		case err != nil:
			return errors.New("cannot be read")
		case info.IsDir():
			return nil
		case !info.Mode().IsRegular():
			return errors.New("has something in it that is no file")
		}
		if size += info.Size(); size > maxKeptBytes || len(out) == maxKeptFiles {
			return fmt.Errorf("has more than %d files or %d MiB", maxKeptFiles, maxKeptBytes>>20)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return errors.New("cannot be read")
		}
		rel, err := filepath.Rel(path, file)
		if err != nil {
			return err
		}
		c := out[rel]
		c.data, c.mode = data, info.Mode().Perm()
		out[rel] = c
		return nil
	})
	return out, err
}

func (c content) hash() string {
	h := sha256.New()
	for _, rel := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(h, "%q %o %d\n", rel, c[rel].mode, len(c[rel].data))
		h.Write(c[rel].data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Hashed is the file at a path as it is now, without a copy. A folder that is writable holds
// data of the services, and is neither read nor kept.
func Hashed(path string, writable bool) File {
	f := File{Path: path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		f.Unkept = "is not there"
		return f
	case info.IsDir() && writable:
		f.Unkept = "is a folder that services may write to"
		return f
	}
	found, err := readContent(path)
	if err != nil {
		f.Unkept = err.Error()
		return f
	}
	f.Hash = found.hash()
	return f
}

// HasFile reports whether there is a copy of f.
func (s *Store) HasFile(project string, f File) bool {
	if f.Hash == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(s.KeptPath(project, f)), complete))
	return err == nil
}

// KeepFile copies what f is into the project's folder, unless it is there already. The copy
// is on disk when KeepFile returns.
func (s *Store) KeepFile(project string, f File) error {
	if f.Unkept != "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to := filepath.Dir(s.KeptPath(project, f))
	if s.HasFile(project, f) {
		return nil
	}
	found, err := readContent(f.Path)
	if err != nil {
		return fmt.Errorf("keep %s: %w", filepath.Base(f.Path), err)
	}
	if found.hash() != f.Hash {
		return fmt.Errorf("keep %s: it has changed meanwhile", filepath.Base(f.Path))
	}
	for rel, c := range found {
		if err := filedb.WriteBytes(filepath.Join(s.KeptPath(project, f), rel), c.data); err != nil {
			return fmt.Errorf("keep %s: %w", filepath.Base(f.Path), err)
		}
	}
	if err := copyModes(f.Path, s.KeptPath(project, f)); err != nil {
		return fmt.Errorf("keep %s: %w", filepath.Base(f.Path), err)
	}
	return filedb.WriteBytes(filepath.Join(to, complete), nil)
}

// copyModes gives a copy the modes of what it was made from, and its owners where the server
// may do that: services read it as they read the original.
func copyModes(from, to string) error {
	return filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(to, path)
		if err = errors.Join(err, relErr); err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(from, rel))
		if err != nil {
			return err
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			_ = os.Chown(path, int(owner.Uid), int(owner.Gid)) // root alone may
		}
		return os.Chmod(path, info.Mode().Perm())
	})
}

// complete is the mark of a copy that is whole.
const complete = ".complete"

// WriteRestored writes the compose file that a rollback uses in a revision's place, and returns
// its path.
func (s *Store) WriteRestored(project string, document map[string]any) (string, error) {
	text, err := yaml.Marshal(document)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, project, "restored.compose")
	return path, filedb.WriteBytes(path, text)
}

// DropFiles removes the copies that no revision of the project needs.
func (s *Store) DropFiles(project string) error {
	numbers, err := s.Numbers(project)
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for _, n := range numbers {
		r, err := s.Get(project, n)
		if err != nil {
			return err // it may need any of them
		}
		for _, f := range r.Files {
			needed[f.Hash] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, project, filesFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if !needed[entry.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, project, filesFolder, entry.Name())))
		}
	}
	return err
}

// Mounted visits the paths of files that a compose file's services read or mount: of configs,
// secrets and binds. visit returns what is to stand in a path's place, and gets whether the
// services may write to it.
func Mounted(document map[string]any, visit func(path string, writable bool, services []string) string) {
	for _, section := range []string{"configs", "secrets"} {
		for _, name := range slices.Sorted(maps.Keys(Child(document, section))) {
			definition := Child(Child(document, section), name)
			if path, ok := definition["file"].(string); ok {
				definition["file"] = visit(path, false, usersOf(document, section, name))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(Services(document))) {
		volumes, _ := Child(Services(document), name)["volumes"].([]any)
		for _, volume := range volumes {
			v, _ := volume.(map[string]any)
			path, ok := v["source"].(string)
			if !ok || v["type"] != "bind" {
				continue
			}
			readOnly, _ := v["read_only"].(bool)
			v["source"] = visit(path, !readOnly, []string{name})
		}
	}
}

// usersOf are the services that use a config or secret, sorted.
func usersOf(document map[string]any, section, name string) []string {
	var out []string
	for service := range Services(document) {
		uses, _ := Child(Services(document), service)[section].([]any)
		for _, use := range uses {
			u, _ := use.(map[string]any)
			if u["source"] == name || use == any(name) {
				out = append(out, service)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
