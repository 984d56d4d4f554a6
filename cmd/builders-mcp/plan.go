package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// maxSize bounds the files that are compared and, after a failure, put back: far more than a
// person or a builder writes.
const maxSize = 8 << 20

// plan is the changes of a builder to the files below a root. Making a plan changes nothing.
type plan struct {
	builder string
	steps   []step
}

// step is one file of a plan.
type step struct {
	output
	there  bool
	before []byte      // what is there
	mode   fs.FileMode // of what is there
}

// The changes of a step's file.
const (
	created     = "created"
	overwritten = "overwritten"
	unchanged   = "unchanged"
)

func (s step) status() string {
	switch {
	case !s.there:
		return created
	case bytes.Equal(s.before, s.data):
		return unchanged
	}
	return overwritten
}

// newPlan renders the builder and reads the present files.
func newPlan(root *os.Root, in applyInput) (*plan, error) {
	b, err := findBuilder(in.ID)
	if err != nil {
		return nil, err
	}
	if in.Target != "" {
		if err := allow(in.Target, folderWords, folder); err != nil {
			return nil, fmt.Errorf("target: %w", err)
		}
	}
	outputs, err := b.render(in.Variables)
	if err != nil {
		return nil, err
	}
	p := &plan{builder: b.ID}
	for _, o := range outputs {
		o.path = path.Join(in.Target, o.path)
		s, err := look(root, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.path, err)
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

// look reads the present file at the place of a new one. The root lets no path out of it;
// symbolic links are refused all the same, because their target belongs to others.
func look(root *os.Root, o output) (step, error) {
	absent := step{output: o, mode: 0o644}
	for i, c := range o.path + "/" {
		if c != '/' {
			continue
		}
		part := o.path[:i]
		info, err := root.Lstat(part)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return absent, nil
		case err != nil:
			return step{}, err
		case info.Mode()&fs.ModeSymlink != 0:
			return step{}, fmt.Errorf("%s is a symbolic link, and builders follow none: choose another folder or remove it", part)
		case part != o.path && !info.IsDir():
			return step{}, fmt.Errorf("%s is there and is no folder", part)
		case part != o.path:
			continue
		case !info.Mode().IsRegular():
			return step{}, fmt.Errorf("is there and is no file (%s)", info.Mode().Type())
		case info.Size() > maxSize:
			return step{}, fmt.Errorf("is there and has %d bytes, more than a builder replaces (%d)", info.Size(), maxSize)
		}
		before, err := root.ReadFile(o.path)
		if err != nil {
			return step{}, err
		}
		return step{output: o, there: true, before: before, mode: info.Mode().Perm()}, nil
	}
	return absent, nil
}

// files lists the changes of the files, with their text for a preview.
func (p *plan) files(text bool) []writtenFile {
	files := []writtenFile{}
	for _, s := range p.steps {
		file := writtenFile{Path: s.path, Bytes: len(s.data), Status: s.status()}
		if text {
			file.Text = string(s.data)
		}
		files = append(files, file)
	}
	return files
}

// with lists the paths of the files that have a status.
func (p *plan) with(status string) []string {
	var paths []string
	for _, s := range p.steps {
		if s.status() == status {
			paths = append(paths, s.path)
		}
	}
	return paths
}

func (p *plan) summary() string {
	return fmt.Sprintf("%s: %d created, %d overwritten, %d unchanged",
		p.builder, len(p.with(created)), len(p.with(overwritten)), len(p.with(unchanged)))
}

// done describes the changes that were made, a line for each file.
func (p *plan) done() string {
	var b strings.Builder
	b.WriteString(p.summary() + "\n")
	for _, s := range p.steps {
		fmt.Fprintf(&b, "%s %s (%d bytes)\n", s.status(), s.path, len(s.data))
	}
	return b.String()
}

// preview describes the changes that would be made, with the files' text.
func (p *plan) preview(force bool) string {
	var b strings.Builder
	b.WriteString("nothing is written; it would be: " + p.summary() + "\n")
	if err := p.refuseOverwrite(force); err != nil {
		fmt.Fprintf(&b, "apply_builder would refuse: %s\n", err)
	}
	for _, s := range p.steps {
		fmt.Fprintf(&b, "\n--- %s: %s (%d bytes)\n", s.path, s.status(), len(s.data))
		if s.status() != unchanged {
			b.Write(s.data)
		}
	}
	return b.String()
}

// refuseOverwrite refuses a plan that would change files which are there. A file that
// is the same already is no obstacle, so that a build which was interrupted can be run
// again.
func (p *plan) refuseOverwrite(force bool) error {
	there := p.with(overwritten)
	if len(there) == 0 || force {
		return nil
	}
	return fmt.Errorf("%d of %d files are there and differ: %s; set force to overwrite them",
		len(there), len(p.steps), strings.Join(there, ", "))
}
