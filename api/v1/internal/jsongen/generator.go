package main

import (
	"bytes"
	"fmt"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// generator writes functions for structs, one after the other.
type generator struct {
	pkg     *types.Package
	out     bytes.Buffer
	imports map[string]string // by path: the name in the file
	queue   []function
	seen    map[function]bool
	err     error
	// depth numbers the variables of nested loops.
	depth int
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

func (g *generator) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
}

// field is a member of a struct's JSON.
type field struct {
	name                string // in JSON
	path                string // in Go, e.g. TypeMeta.Kind
	typ                 types.Type
	omitempty, omitzero bool
}

// fieldsOf are the members of a struct's JSON, in the order of encoding/json.
func (g *generator) fieldsOf(structure *types.Struct, prefix string) (fields []field) {
	for i := range structure.NumFields() {
		v := structure.Field(i)
		tag := reflect.StructTag(structure.Tag(i)).Get("json")
		name, options, _ := strings.Cut(tag, ",")
		inner, embedded := v.Type().Underlying().(*types.Struct)
		switch {
		case tag == "-":
		case v.Anonymous() && name == "":
			if !embedded {
				g.fail("%s: only structs can be embedded", v.Name())
				continue
			}
			fields = append(fields, g.fieldsOf(inner, prefix+v.Name()+".")...)
		case !v.Exported():
		case name == "":
			g.fail("%s has no name in JSON", v.Name())
		default:
			for option := range strings.SplitSeq(options, ",") {
				if !slices.Contains([]string{"", "omitempty", "omitzero", "inline"}, option) {
					g.fail("%s: the option %s is not known", name, option)
				}
			}
			fields = append(fields, field{
				name: name, path: prefix + v.Name(), typ: v.Type(),
				omitempty: strings.Contains(options, "omitempty"), omitzero: strings.Contains(options, "omitzero"),
			})
		}
	}
	for i := range fields {
		if slices.ContainsFunc(fields[:i], func(f field) bool { return f.name == fields[i].name }) {
			g.fail("two fields are called %s", fields[i].name)
		}
	}
	return fields
}

// restOf is the field, a map[string]JSON, that takes the members which are no field of a
// struct; empty: such a member is refused.
func (g *generator) restOf(named *types.Named) string {
	structure, ok := named.Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	for i := range structure.NumFields() {
		if reflect.StructTag(structure.Tag(i)).Get("jsongen") == "rest" {
			return structure.Field(i).Name()
		}
	}
	return ""
}

// root writes the methods of a kind.
func (g *generator) root(named *types.Named) {
	structure := named.Underlying().(*types.Struct)
	name := named.Obj().Name()
	g.printf("\n// DecodeCompact implements Codec.\nfunc (o *%s) DecodeCompact(data []byte) bool {\n\tr := reader{b: data}\n\t%s(&r, o)\n\treturn r.whole()\n}\n", name, g.decoder(named))
	g.printf("\n// DecodeJSON implements Codec.\nfunc (o *%[1]s) DecodeJSON(data []byte) error {\n\tif o.DecodeCompact(data) {\n\t\treturn nil\n\t}\n\t*o = %[1]s{}\n\treturn json.Unmarshal(data, o)\n}\n", name)
	for _, f := range g.fieldsOf(structure, "") {
		if part, ok := f.typ.(*types.Named); ok && (f.path == "Spec" || f.path == "Status") {
			g.printf("\n// Append%[1]s implements Codec.\nfunc (o *%[2]s) Append%[1]s(dst []byte) ([]byte, error) {\n\te := appender{b: dst}\n\t%[3]s(&e, &o.%[1]s)\n\treturn e.b, e.err\n}\n", f.path, name, g.encoder(part))
		}
	}
}

// metadata writes the functions for the metadata that all kinds have.
func (g *generator) metadata(named *types.Named) {
	name := g.typeName(named)
	g.printf("\n// AppendMetadata appends m as encoding/json encodes it, but with <, > and & as they are.\nfunc AppendMetadata(dst []byte, m *%s) ([]byte, error) {\n\te := appender{b: dst}\n\t%s(&e, m)\n\treturn e.b, e.err\n}\n", name, g.encoder(named))
	g.printf("\n// DecodeMetadata decodes data into m, which must be empty, as encoding/json does.\nfunc DecodeMetadata(data []byte, m *%[1]s) error {\n\tr := reader{b: data}\n\tif %[2]s(&r, m); r.whole() {\n\t\treturn nil\n\t}\n\t*m = %[1]s{}\n\treturn json.Unmarshal(data, m)\n}\n", name, g.decoder(named))
}

// function is one that encodes or decodes a struct.
type function struct {
	named  *types.Named
	decode bool
}

// encoder and decoder name the function for a struct, which is written later.
func (g *generator) encoder(named *types.Named) string { return g.need(function{named, false}) }
func (g *generator) decoder(named *types.Named) string { return g.need(function{named, true}) }

func (g *generator) need(f function) string {
	if !g.seen[f] {
		g.seen[f] = true
		g.queue = append(g.queue, f)
	}
	name := f.named.Obj().Name()
	if pkg := f.named.Obj().Pkg(); pkg != g.pkg {
		name = strings.ToUpper(g.importName(pkg)[:1]) + g.importName(pkg)[1:] + name
	}
	if f.decode {
		return "decode" + name
	}
	return "encode" + name
}

// importName is what the file calls a package.
func (g *generator) importName(pkg *types.Package) string {
	name := pkg.Name()
	if strings.HasSuffix(pkg.Path(), "apis/meta/v1") {
		name = "metav1"
	}
	g.imports[pkg.Path()] = name
	return name
}

// typeName writes a type as Go code.
func (g *generator) typeName(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == g.pkg {
			return ""
		}
		return g.importName(pkg)
	})
}

// special is a type that has code of its own: by its name, or "custom" if it encodes
// itself; empty: none.
func (g *generator) special(t types.Type) string {
	named, ok := t.(*types.Named)
	if !ok {
		return ""
	}
	switch name := g.qualified(named); name {
	case "metav1.Time", "metav1.MicroTime", "JSON":
		return name
	}
	if g.restOf(named) != "" {
		return "" // its methods do what the generated code does
	}
	for _, method := range []string{"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"} {
		if found, _, _ := types.LookupFieldOrMethod(types.NewPointer(named), true, g.pkg, method); found != nil {
			return "custom"
		}
	}
	return ""
}

func (g *generator) qualified(named *types.Named) string {
	switch pkg := named.Obj().Pkg(); {
	case pkg == g.pkg || pkg == nil:
		return named.Obj().Name()
	case strings.HasSuffix(pkg.Path(), "apis/meta/v1"):
		return "metav1." + named.Obj().Name()
	default:
		return pkg.Name() + "." + named.Obj().Name()
	}
}

// isBytes reports whether encoding/json takes a slice for base64.
func isBytes(slice *types.Slice) bool {
	basic, ok := slice.Elem().Underlying().(*types.Basic)
	return ok && basic.Kind() == types.Uint8
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
