package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a text.
type Problem struct {
	// Line and Column count from 1; 0 means unknown.
	Line, Column int
	// Path is the field's path, e.g. spec.build.arguments; empty means the whole document.
	Path string
	// Message says what is wrong and what to do.
	Message string
}

// String is the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all that is wrong with a text, in the text's order.
type Problems []Problem

// Error is one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// collector gathers problems up to MaxProblems.
type collector struct {
	found  Problems
	missed int
}

func (c *collector) add(p Problem) {
	if len(c.found) < MaxProblems {
		c.found = append(c.found, p)
	} else {
		c.missed++
	}
}

// err is nil without problems.
func (c *collector) err() error {
	if len(c.found) == 0 {
		return nil
	}
	all := c.found
	if c.missed > 0 {
		all = append(slices.Clip(all), Problem{Message: fmt.Sprintf("and %d more problems", c.missed)})
	}
	return all
}

// path is where a value stands below another.
type path struct {
	parent *path
	name   string // of a member
	index  int    // of an item; -1: a member
}

func (p *path) member(name string) *path { return &path{parent: p, name: name, index: -1} }
func (p *path) item(i int) *path         { return &path{parent: p, index: i} }

// String writes the path as field errors do.
func (p *path) String() string {
	if p == nil {
		return ""
	}
	before := p.parent.String()
	switch {
	case p.index >= 0:
		return fmt.Sprintf("%s[%d]", before, p.index)
	case p.name == "" || strings.ContainsAny(p.name, ".[]/ \"\n\r\t"):
		return fmt.Sprintf("%s[%s]", before, printable(p.name))
	case before == "":
		return printable(p.name)
	}
	return before + "." + printable(p.name)
}

// printable is text of the document within a message: short, and in one line.
func printable(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	quoted := fmt.Sprintf("%q", s)
	if inner := quoted[1 : len(quoted)-1]; inner != s {
		return inner
	}
	return s
}

// trail is where a parser is: the names and numbers on the way from the document.
type trail []step

type step struct {
	name  string
	index int // of an item; -1: a member
}

func (t *trail) push(name string, index int) { *t = append(*t, step{name, index}) }
func (t *trail) pop()                        { *t = (*t)[:len(*t)-1] }

// String writes the trail as path does.
func (t trail) String() string {
	var p *path
	for _, s := range t {
		p = &path{parent: p, name: s.name, index: s.index}
	}
	return p.String()
}
