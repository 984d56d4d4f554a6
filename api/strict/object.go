package strict

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
)

// Object decodes the document into a new object of the one of kinds that it names. The
// error is of type [Problems] unless the kind is none of them.
func (d Document) Object(kinds []v1.Kind) (v1.Object, error) {
	name, version := d.Text("kind"), d.Text("apiVersion")
	var known []string
	for _, kind := range kinds {
		if kind.Name == name && version == v1.APIVersion {
			obj := kind.New()
			return obj, d.DecodeObject(kind, obj)
		}
		known = append(known, kind.Name)
	}
	return nil, Problems{{
		Line: d.node().line, Column: d.node().column, Path: d.base.String(),
		Message: fmt.Sprintf("kind %q of apiVersion %q: supported: %s of %s", printable(name), printable(version), strings.Join(known, ", "), v1.APIVersion),
	}}
}

// DecodeObject decodes the document into obj, an empty object of kind. If decoding finds
// problems, the error also has the problems that validation finds in the rest of the object,
// so that an author sees all of them at once.
func (d Document) DecodeObject(kind v1.Kind, obj v1.Object) error {
	err := d.decode(obj, checker{payloads: kind.Payloads})
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		return err
	}
	checked, ok := obj.DeepCopyObject().(v1.Object)
	if !ok {
		return err
	}
	checked.Default()
	var all collector
	for _, p := range problems {
		all.add(p)
	}
	for _, invalid := range kind.Validate(checked) {
		// What the metadata lacks may come from elsewhere: an address, a flag.
		lacks := invalid.Type == field.ErrorTypeRequired && !strings.HasPrefix(invalid.Field, "spec")
		if !lacks && !follows(invalid.Field, problems) {
			p := Problem{Path: invalid.Field, Message: invalid.ErrorBody()}
			p.Line, p.Column = d.find(invalid.Field)
			all.add(p)
		}
	}
	return all.err()
}

// follows reports whether an error about a field may be there only because of a problem
// with that field, the one it lies in, or one that lies in it.
func follows(path string, problems Problems) bool {
	for _, p := range problems {
		if p.Path == "" {
			continue
		}
		parent := p.Path[:max(strings.LastIndexAny(p.Path, ".["), 0)]
		if path == p.Path || path == parent && parent != "spec" || below(path, p.Path) {
			return true
		}
	}
	return false
}

// below reports whether a path lies below another.
func below(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// find is the place of the field, or of the last one on the way to it that is there.
func (d Document) find(path string) (line, column int) {
	n, at := d.node(), ""
	line, column = n.line, n.column
	for {
		next := false
		for _, m := range n.members {
			for _, name := range []string{strings.TrimPrefix(at+"."+m.name, "."), at + "[" + m.name + "]"} {
				if !next && (name == path || below(path, name)) {
					n, at, next = m.value, name, true
					line, column = m.line, m.column
				}
			}
		}
		for i, item := range n.items {
			name := fmt.Sprintf("%s[%d]", at, i)
			if !next && (name == path || below(path, name)) {
				n, at, next = item, name, true
				line, column = item.line, item.column
			}
		}
		if !next {
			return line, column
		}
	}
}
