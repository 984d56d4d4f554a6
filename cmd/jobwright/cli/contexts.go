package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/filedb"
)

// Settings name the server and the workspace of a command.
type Settings struct {
	Server    string `json:"server,omitempty"`
	Workspace string `json:"workspace,omitempty"`
}

// Contexts is the context file.
type Contexts struct {
	Current  string              `json:"current,omitempty"`
	Contexts map[string]Settings `json:"contexts,omitempty"`
}

// contextFile returns the path of the context file, in $JOBWRIGHT_CONFIG_DIR or else the
// user's configuration folder.
func contextFile() (string, error) {
	if dir := os.Getenv("JOBWRIGHT_CONFIG_DIR"); dir != "" {
		return filepath.Join(dir, "contexts.yaml"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "jobwright", "contexts.yaml"), nil
}

// ReadContexts reads the context file. A missing file means that there are no contexts.
func ReadContexts() (Contexts, error) {
	var known Contexts
	path, err := contextFile()
	if err != nil {
		return known, nil //nolint:nilerr // no home folder, no context file
	}
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	if problems := InFile(path, strict.Unmarshal(data, &known)); len(problems) > 0 {
		return known, errors.Join(problems...)
	}
	return known, nil
}

func (k Contexts) write() error {
	path, err := contextFile()
	if err != nil {
		return err
	}
	data, err := strict.Marshal(k)
	if err != nil {
		return err
	}
	return filedb.WriteBytes(path, data)
}

// settings merges flags, environment, context file and defaults; the first that is set wins.
func (c *Invocation) settings() (Settings, error) {
	known, err := ReadContexts()
	if err != nil {
		return Settings{}, err
	}
	name := cmp.Or(c.Context, os.Getenv("JOBWRIGHT_CONTEXT"), known.Current)
	file, ok := known.Contexts[name]
	if name != "" && !ok {
		return Settings{}, Usagef("context %q is not in the context file; it has: %v", name, slices.Sorted(maps.Keys(known.Contexts)))
	}
	return Settings{
		Server:    cmp.Or(c.Server, os.Getenv("JOBWRIGHT_SERVER"), file.Server, "http://127.0.0.1:8080"),
		Workspace: cmp.Or(c.Workspace, os.Getenv("JOBWRIGHT_WORKSPACE"), file.Workspace, v1.DefaultWorkspace),
	}, nil
}

func ChangeContexts(change func(*Contexts) error) error {
	known, err := ReadContexts()
	if err != nil {
		return err
	}
	if err := change(&known); err != nil {
		return err
	}
	return known.write()
}
