package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
)

var targetPattern = regexp.MustCompile(folder)

// plan is what a builder will do to the files below a root.
type plan struct {
	root  *os.Root
	steps []step
}

type step struct {
	output
	before []byte // what is there; nil: nothing
	there  bool
}

func (s step) action() string {
	switch {
	case !s.there:
		return "create"
	case bytes.Equal(s.before, s.data):
		return "keep"
	}
	return "overwrite"
}

// newPlan renders the builder and looks at what is there.
func newPlan(root *os.Root, in applyInput) (*plan, error) {
	b, err := findBuilder(in.ID)
	if err != nil {
		return nil, err
	}
	if in.Target != "" && !targetPattern.MatchString(in.Target) {
		return nil, fmt.Errorf("target: %q is not allowed: must be a folder below the root, matching %s", in.Target, folder)
	}
	outputs, err := b.render(in.Variables)
	if err != nil {
		return nil, err
	}
	p := &plan{root: root}
	for _, o := range outputs {
		o.path = path.Join(in.Target, o.path)
		before, err := root.ReadFile(o.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", o.path, err)
		}
		p.steps = append(p.steps, step{output: o, before: before, there: err == nil})
	}
	return p, nil
}

func (p *plan) files() []writtenFile {
	files := []writtenFile{}
	for _, s := range p.steps {
		files = append(files, writtenFile{Path: s.path, Bytes: len(s.data), Action: s.action()})
	}
	return files
}

func (p *plan) describe(would string) string {
	var b strings.Builder
	for _, s := range p.steps {
		fmt.Fprintf(&b, "%s%s %s (%d bytes)\n", would, s.action(), s.path, len(s.data))
	}
	return b.String()
}

// refuseOverwrite refuses a plan that would change files which are there.
func (p *plan) refuseOverwrite(force bool) error {
	var there []string
	for _, s := range p.steps {
		if s.action() == "overwrite" {
			there = append(there, s.path)
		}
	}
	if len(there) == 0 || force {
		return nil
	}
	return fmt.Errorf("these files are there and differ: %s; nothing was written; set force to overwrite them", strings.Join(there, ", "))
}

// apply writes the files; when one cannot be written, or ctx ends, those before it are
// put back to what they were.
func (p *plan) apply(ctx context.Context, report func(done, total int, message string)) error {
	for i, s := range p.steps {
		err := ctx.Err()
		if err != nil {
			err = errCanceled
		} else if s.action() != "keep" {
			err = p.write(s.path, s.data)
		}
		if err != nil {
			return errors.Join(err, p.undo(p.steps[:i]))
		}
		report(i+1, len(p.steps), s.action()+" "+s.path)
	}
	return nil
}

// write replaces a file as a whole: temporary file, then rename.
func (p *plan) write(name string, data []byte) error {
	if dir := path.Dir(name); dir != "." {
		if err := p.root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	temp := name + "." + rand.Text() + ".new" // nobody's file
	err := p.root.WriteFile(temp, data, 0o644)
	if err == nil {
		err = p.root.Rename(temp, name)
	}
	if err != nil {
		_ = p.root.Remove(temp) // it may not have come to be
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (p *plan) undo(steps []step) error {
	var problems []error
	for _, s := range steps {
		switch s.action() {
		case "create":
			problems = append(problems, p.root.Remove(s.path))
		case "overwrite":
			problems = append(problems, p.write(s.path, s.before))
		}
	}
	return errors.Join(problems...)
}
