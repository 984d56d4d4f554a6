package main

import (
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// maxFields is how many members of one struct a decoder tells apart.
const maxFields = 64

// decodeStruct writes the function that reads a struct.
func (g *generator) decodeStruct(named *types.Named) {
	fields := g.fieldsOf(named.Underlying().(*types.Struct), "")
	if len(fields) > maxFields {
		g.fail("%s has more than %d fields: seen must be an array", named.Obj().Name(), maxFields)
	}
	before, key := "", "r.key()"
	if g.restOf(named) != "" {
		before, key = "key := r.key(); ", "key"
	}
	g.printf("\nfunc %s(r *reader, s *%s) {\n\tvar seen uint64\n\tfor more := r.first('{', '}'); more; more = r.another('}') {\n\t\tswitch %sstring(%s) {\n", g.decoder(named), g.typeName(named), before, key)
	for i, f := range fields {
		g.printf("case %s:\nr.once(&seen, %d)\n", strconv.Quote(f.name), i)
		g.decodeValue("s."+f.path, f.typ, f.name)
	}
	if rest := g.restOf(named); rest != "" {
		names := make([]string, 0, len(fields))
		for _, f := range fields {
			names = append(names, strconv.Quote(f.name))
		}
		g.printf("default:\nr.rest(&s.%s, key, %s)\n}\n}\n}\n", rest, strings.Join(names, ", "))
		return
	}
	g.printf("default:\nr.failed = true\n}\n}\n}\n")
}

// few are fields whose values are the same few in most objects.
var few = []string{"kind", "apiVersion", "type", "reason", "status"}

// decodeValue reads into x, which can be assigned to.
func (g *generator) decodeValue(x string, t types.Type, name string) {
	switch g.special(t) {
	case "metav1.Time":
		g.printf("r.time(&%s.Time, metav1TimeLayout)\n", x)
		return
	case "metav1.MicroTime":
		g.printf("r.time(&%s.Time, metav1MicroTimeLayout)\n", x)
		return
	case "JSON":
		g.printf("r.json(&%s)\n", x)
		return
	case "custom":
		g.printf("r.any(&%s)\n", x)
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		g.decodeBasic(x, t, u, name)
	case *types.Pointer:
		g.printf("if r.null() {\n%s = nil\n} else {\n%s = new(%s)\n", x, x, g.typeName(u.Elem()))
		if inner := g.structOf(u.Elem()); inner != nil {
			g.printf("%s(r, %s)\n", g.decoder(inner), x)
		} else {
			g.decodeValue("(*"+x+")", u.Elem(), name)
		}
		g.printf("}\n")
	case *types.Struct:
		if inner := g.structOf(t); inner != nil {
			g.printf("%s(r, &%s)\n", g.decoder(inner), x)
		} else {
			g.printf("r.any(&%s)\n", x)
		}
	case *types.Slice:
		if isBytes(u) {
			g.printf("r.any(&%s)\n", x)
			return
		}
		g.nested(func(i string) {
			g.printf("if r.null() {\n%[1]s = nil\n} else {\n%[1]s = %[2]s{}\nfor more%[4]s := r.first('[', ']'); more%[4]s; more%[4]s = r.another(']') {\nvar v%[4]s %[3]s\n%[1]s = append(%[1]s, v%[4]s)\n", x, g.typeName(t), g.typeName(u.Elem()), i)
			g.decodeValue(x+"[len("+x+")-1]", u.Elem(), "")
			g.printf("}\n}\n")
		})
	case *types.Map:
		g.decodeMap(x, t, u)
	default:
		g.printf("r.any(&%s)\n", x)
	}
}

func (g *generator) decodeBasic(x string, t types.Type, u *types.Basic, name string) {
	named, isNamed := t.(*types.Named)
	switch info := u.Info(); {
	case info&types.IsString != 0:
		reads := "str"
		if isNamed && g.qualified(named) != "types.UID" || slices.Contains(few, name) {
			reads = "word"
		}
		g.printf("%s(r, &%s)\n", reads, x)
	case info&types.IsBoolean != 0:
		g.printf("boolean(r, &%s)\n", x)
	case info&types.IsInteger != 0 && info&types.IsUnsigned == 0:
		bits := map[types.BasicKind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32}[u.Kind()]
		if bits == 0 {
			bits = 64
		}
		g.printf("number(r, &%s, %d)\n", x, bits)
	default:
		g.printf("r.any(&%s)\n", x)
	}
}

func (g *generator) decodeMap(x string, t types.Type, u *types.Map) {
	key, ok := u.Key().Underlying().(*types.Basic)
	if !ok || key.Info()&types.IsString == 0 || g.special(u.Key()) != "" {
		g.printf("r.any(&%s)\n", x)
		return
	}
	g.nested(func(i string) {
		g.printf("if r.null() {\n%[1]s = nil\n} else {\n%[1]s = %[2]s{}\nfor more%[5]s := r.first('{', '}'); more%[5]s; more%[5]s = r.another('}') {\nk%[5]s := %[3]s(r.key())\nvar v%[5]s %[4]s\n", x, g.typeName(t), g.typeName(u.Key()), g.typeName(u.Elem()), i)
		g.decodeValue("v"+i, u.Elem(), "")
		g.printf("insert(r, %s, k%s, v%s)\n}\n}\n", x, i, i)
	})
}
