package strict

import (
	"cmp"
	"errors"
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
	// more is the number of further problems that a closing problem stands for.
	more int
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

func (c *collector) full() bool { return len(c.found) >= MaxProblems }

func (c *collector) add(p Problem) {
	switch {
	case p.more > 0:
		c.missed += p.more
	case c.full():
		c.missed++
	default:
		c.found = append(c.found, p)
	}
}

// err returns the problems in the order of the text, whichever step found them; nil without
// problems. A problem without a position follows the problem found before it.
func (c *collector) err() error {
	if len(c.found) == 0 && c.missed == 0 {
		return nil
	}
	all := c.found.sorted()
	if c.missed > 0 {
		all = append(all, Problem{Message: fmt.Sprintf("and %d more problems", c.missed), more: c.missed})
	}
	return all
}

// sorted is a copy in the text's order.
func (p Problems) sorted() Problems {
	type placed struct {
		Problem
		line, column int
	}
	all := make([]placed, len(p))
	line, column := 0, 0
	for i, one := range p {
		if one.Line > 0 || one.Column > 0 {
			line, column = one.Line, one.Column
		}
		all[i] = placed{one, line, column}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	ordered := make(Problems, len(p))
	for i := range all {
		ordered[i] = all[i].Problem
	}
	return ordered
}

// Join is an error with the problems of both, in the text's order.
func Join(a, b error) error {
	first, ok1 := errors.AsType[Problems](a)
	second, ok2 := errors.AsType[Problems](b)
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case !ok1 || !ok2:
		return errors.Join(a, b)
	}
	var all collector
	for _, p := range slices.Concat(first, second) {
		all.add(p)
	}
	return all.err()
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
