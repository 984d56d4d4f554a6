package print

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/client-go/util/jsonpath"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// Objects prints objects in the format of --output.
type Objects struct {
	out    io.Writer
	o      Options
	path   *jsonpath.JSONPath
	headed bool
}

// Options are the output flags of a command.
type Options struct {
	Output     string // "", wide, yaml, json, name or jsonpath=TEMPLATE
	Workspaces bool   // a column of workspaces
	NoHeader   bool
}

// NewObjects returns a printer that writes to out.
func NewObjects(out io.Writer, o Options) (*Objects, error) {
	p := &Objects{out: out, o: o}
	if template, ok := strings.CutPrefix(o.Output, "jsonpath="); ok {
		p.path = jsonpath.New("output").AllowMissingKeys(true)
		if err := p.path.Parse(template); err != nil {
			return nil, cli.Usagef("--output jsonpath: %v", err)
		}
		return p, nil
	}
	switch o.Output {
	case "", "wide", "yaml", "json", "name":
		return p, nil
	}
	return nil, cli.Usagef("--output %q: supported values: wide, yaml, json, name, jsonpath=TEMPLATE", o.Output)
}

// Table reports whether the output is a table.
func (p *Objects) Table() bool { return p.path == nil && (p.o.Output == "" || p.o.Output == "wide") }

// One prints an object.
func (p *Objects) One(kind v1.Kind, obj v1.Object) error {
	switch {
	case p.path != nil:
		return p.jsonpath(obj)
	case p.Table():
		return p.rows(kind, []v1.Object{obj})
	default:
		if p.headed && p.o.Output == "yaml" {
			fmt.Fprintln(p.out, "---")
		}
		p.headed = true
		return Object(p.out, obj, p.o.Output)
	}
}

// List prints a list of objects.
func (p *Objects) List(kind v1.Kind, objs []v1.Object) error {
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": objs}
	if objs == nil {
		list["items"] = []any{}
	}
	switch {
	case p.path != nil:
		return p.jsonpath(list)
	case p.Table():
		return p.rows(kind, objs)
	case p.o.Output == "name":
		for _, obj := range objs {
			fmt.Fprintln(p.out, FullName(obj))
		}
		return nil
	default:
		return As(p.out, list, p.o.Output)
	}
}

func (p *Objects) rows(kind v1.Kind, objs []v1.Object) error {
	wide := p.o.Output == "wide"
	lead := func(name string, row []string) []string {
		if p.o.Workspaces && kind.Namespaced {
			return append([]string{name}, row...)
		}
		return row
	}
	t := NewTable(p.out)
	if !p.headed && !p.o.NoHeader {
		t.Row(lead("WORKSPACE", columns(kind, wide))...)
	}
	p.headed = true
	for _, obj := range objs {
		t.Row(lead(obj.GetNamespace(), cells(kind, obj, time.Now(), wide))...)
	}
	return t.Flush()
}

func (p *Objects) jsonpath(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := p.path.Execute(&text, exactNumbers(plain)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, text.String())
	return err
}

// exactNumbers converts the numbers of a decoded value to int64 or float64, so that a
// filter can compare them. A number that the conversion would print differently stays a
// json.Number.
func exactNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && fmt.Sprint(f) == v.String() {
			return f
		}
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = exactNumbers(v[key])
		}
	}
	return value
}
