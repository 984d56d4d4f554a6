package main

import (
	"go/types"
	"strconv"
)

// encodeStruct writes the function that appends a struct.
func (g *generator) encodeStruct(named *types.Named) {
	g.printf("\nfunc %s(e *appender, s *%s) {\n\te.open('{')\n", g.encoder(named), g.typeName(named))
	for _, f := range g.fieldsOf(named.Underlying().(*types.Struct), "") {
		if condition := g.present(f); condition != "" {
			g.printf("if %s {\n", condition)
			g.encodeMember(f, true)
			g.printf("}\n")
		} else {
			g.encodeMember(f, false)
		}
	}
	if rest := g.restOf(named); rest != "" {
		g.printf("var few [8]string\nfor _, k := range sortedKeys(few[:0], s.%[1]s) {\ne.key(k)\ne.json(s.%[1]s[k])\n}\n", rest)
	}
	g.printf("\te.close('}')\n}\n")
}

// encodeMember writes a member; present tells that it is not nil.
func (g *generator) encodeMember(f field, present bool) {
	g.printf("e.name(`%s:`)\n", strconv.Quote(f.name))
	g.encodeValue("s."+f.path, f.typ, present)
}

// present is the condition on which a field is written; empty: always.
func (g *generator) present(f field) string {
	x := "s." + f.path
	empty, zero := "", ""
	switch t := f.typ.Underlying().(type) {
	case *types.Basic:
		switch {
		case t.Info()&types.IsString != 0:
			empty = x + ` != ""`
		case t.Info()&types.IsBoolean != 0:
			empty = x
		default:
			empty = x + " != 0"
		}
		zero = empty
	case *types.Pointer, *types.Interface:
		empty, zero = x+" != nil", x+" != nil"
	case *types.Slice, *types.Map:
		empty, zero = "len("+x+") > 0", x+" != nil"
	case *types.Struct:
		if found, _, _ := types.LookupFieldOrMethod(types.NewPointer(f.typ), true, g.pkg, "IsZero"); found != nil {
			zero = "!" + x + ".IsZero()"
		} else if types.Comparable(f.typ) {
			zero = x + " != (" + g.typeName(f.typ) + "{})"
		} else if f.omitzero {
			g.fail("%s: omitzero of a struct that cannot be compared", f.name)
		}
	default:
		g.fail("%s: %s is not known", f.name, f.typ)
	}
	switch {
	case f.omitempty && f.omitzero && empty != "" && empty != zero:
		return empty + " && " + zero
	case f.omitempty && empty != "":
		return empty
	case f.omitzero:
		return zero
	}
	return ""
}

// orNull writes code that appends x, or null if x is nil unless it is present.
func (g *generator) orNull(x string, present bool, code func()) {
	if present {
		code()
		return
	}
	g.printf("if %s == nil {\ne.null()\n} else {\n", x)
	code()
	g.printf("}\n")
}

// encodeValue appends x, which can be addressed; present tells that it is not nil.
func (g *generator) encodeValue(x string, t types.Type, present bool) {
	switch g.special(t) {
	case "metav1.Time":
		g.printf("e.time(%s.Time, false)\n", x)
		return
	case "metav1.MicroTime":
		g.printf("e.time(%s.Time, true)\n", x)
		return
	case "JSON":
		g.printf("e.json(%s)\n", x)
		return
	case "custom":
		g.printf("e.value(%s)\n", x)
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		g.encodeBasic(x, u)
	case *types.Pointer:
		g.orNull(x, present, func() {
			if inner := g.structOf(u.Elem()); inner != nil {
				g.printf("%s(e, %s)\n", g.encoder(inner), x)
			} else {
				g.encodeValue("(*"+x+")", u.Elem(), false)
			}
		})
	case *types.Struct:
		if inner := g.structOf(t); inner != nil {
			g.printf("%s(e, &%s)\n", g.encoder(inner), x)
		} else {
			g.printf("e.value(%s)\n", x)
		}
	case *types.Slice:
		if isBytes(u) {
			g.printf("e.value(%s)\n", x)
			return
		}
		g.orNull(x, present, func() {
			g.nested(func(i string) {
				g.printf("e.open('[')\nfor i%[2]s := range %[1]s {\ne.comma()\n", x, i)
				g.encodeValue(x+"[i"+i+"]", u.Elem(), false)
				g.printf("}\ne.close(']')\n")
			})
		})
	case *types.Map:
		g.encodeMap(x, u, present)
	default:
		g.printf("e.value(%s)\n", x)
	}
}

func (g *generator) encodeBasic(x string, u *types.Basic) {
	switch info := u.Info(); {
	case info&types.IsString != 0:
		g.printf("e.text(string(%s))\n", x)
	case info&types.IsBoolean != 0:
		g.printf("e.bool(bool(%s))\n", x)
	case info&types.IsInteger != 0 && info&types.IsUnsigned == 0:
		g.printf("e.int(int64(%s))\n", x)
	default:
		g.printf("e.value(%s)\n", x)
	}
}

func (g *generator) encodeMap(x string, u *types.Map, present bool) {
	key, ok := u.Key().Underlying().(*types.Basic)
	if !ok || key.Info()&types.IsString == 0 || g.special(u.Key()) != "" {
		g.printf("e.value(%s)\n", x)
		return
	}
	g.orNull(x, present, func() {
		g.nested(func(i string) {
			g.printf("e.open('{')\nvar few%[2]s [8]%[3]s\nfor _, k%[2]s := range sortedKeys(few%[2]s[:0], %[1]s) {\ne.key(string(k%[2]s))\nv%[2]s := %[1]s[k%[2]s]\n", x, i, g.typeName(u.Key()))
			g.encodeValue("v"+i, u.Elem(), false)
			g.printf("}\ne.close('}')\n")
		})
	})
}

// nested gives what a loop declares a number of its own.
func (g *generator) nested(loop func(number string)) {
	g.depth++
	loop(strconv.Itoa(g.depth))
	g.depth--
}

// structOf is a struct that gets functions; nil: it is none, or encodes itself.
func (g *generator) structOf(t types.Type) *types.Named {
	named, ok := t.(*types.Named)
	if !ok || g.special(t) != "" {
		return nil
	}
	if _, ok := named.Underlying().(*types.Struct); !ok {
		return nil
	}
	return named
}
