package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Missing says which file of the server's command line is not there or cannot be run, and
// what to do about it: the first cause of a server that does not start. nil: nothing is
// missing, as far as files tell, or the server is no program. Of the arguments it knows
// the script that an interpreter runs, by its ending.
func (s Server) Missing() error {
	if s.Type != TypeStdio {
		return nil
	}
	if info, err := os.Stat(s.folder()); err != nil || !info.IsDir() {
		return errors.New("the folder that cwd names does not exist: make it, or correct cwd in the operator's mcp.json")
	}
	if !strings.ContainsRune(s.Command, filepath.Separator) {
		if _, err := exec.LookPath(s.Command); err != nil {
			return fmt.Errorf("the program %s is not installed on the server's machine, or not in its PATH: install it, or give its path in the operator's mcp.json", s.Command)
		}
	} else if err := s.lacks(s.Command, true); err != nil {
		return err
	}
	for _, arg := range s.Args {
		if !strings.HasPrefix(arg, "-") && slices.Contains(scriptEndings, filepath.Ext(arg)) && strings.Contains(arg, "/") {
			return s.lacks(arg, false)
		}
	}
	return nil
}

// scriptEndings are those of files that an interpreter runs.
var scriptEndings = []string{".js", ".mjs", ".cjs", ".ts", ".mts", ".py", ".rb", ".jar"}

// lacks says that a file is not there, or no program when it must be one.
func (s Server) lacks(name string, program bool) error {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.folder(), path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: %s", s.shown(path), s.howToBuild(path))
	case err != nil:
		return nil //nolint:nilerr // what else is wrong the start of the server tells
	case info.IsDir():
		return fmt.Errorf("%s is a folder: give the path of the program in it, in the operator's mcp.json", s.shown(path))
	case program && info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x it, or name the program that runs it as the command in the operator's mcp.json", s.shown(path))
	}
	return nil
}

// folder is the one in which the server runs.
func (s Server) folder() string {
	if s.Cwd != "" {
		return s.Cwd
	}
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// shown is a path as clients may see it: relative to where the server runs, or of any
// other its last three elements, since the layout of the machine is the operator's matter.
func (s Server) shown(path string) string {
	if rel, err := filepath.Rel(s.folder(), path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	elements := strings.Split(filepath.Clean(path), string(filepath.Separator))
	if len(elements) <= 4 { // the first is empty
		return path
	}
	return filepath.Join(append([]string{"…"}, elements[len(elements)-3:]...)...)
}

const (
	// maxAbove is how many folders above a missing file are looked at for what builds it:
	// dist/cjs/index.js lies two below its package.
	maxAbove = 5
	// maxBuildFile bounds what is read of a package.json or a Makefile.
	maxBuildFile = 1 << 20
)

// howToBuild says what makes a missing file, by the nearest project that it lies in.
func (s Server) howToBuild(path string) string {
	const orCorrect = "or correct the path in the operator's mcp.json"
	dir := filepath.Dir(path)
	for range maxAbove {
		command := ""
		switch {
		case buildsWithNPM(filepath.Join(dir, "package.json")):
			command = "npm run build"
			if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
				command = "npm install && npm run build"
			}
		case bytes.Contains(head(filepath.Join(dir, "Makefile")), []byte("\nbuild:")):
			command = "make build"
		}
		if command != "" {
			where := ""
			if at := s.shown(dir); at != "." {
				where = " in " + at
			}
			return fmt.Sprintf("build it with `%s`%s, %s", command, where, orCorrect)
		}
		above := filepath.Dir(dir)
		if above == dir {
			break
		}
		dir = above
	}
	return "build or install it, " + orCorrect
}

func buildsWithNPM(file string) bool {
	var manifest struct {
		Scripts map[string]string `json:"scripts"`
	}
	return json.Unmarshal(head(file), &manifest) == nil && manifest.Scripts["build"] != ""
}

// head is what a file begins with; nil when it cannot be read.
func head(path string) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBuildFile))
	if err != nil {
		return nil
	}
	return data
}
