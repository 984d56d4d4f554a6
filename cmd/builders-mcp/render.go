package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// all: keeps files whose names begin with "_" or ".".
//
//go:embed all:templates
var templates embed.FS

// scalar is a variable's value; a number or a truth value stands for its text, since
// whoever writes {"LIMIT": 500} means it.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '{', '[', 'n':
		return fmt.Errorf("variables: %s is not allowed: must be a text, a number, true or false", data)
	case '"':
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*s = scalar(text)
		return nil
	}
	*s = scalar(data) // as it is written: 1e3 stays 1e3
	return nil
}

// output is one file that a builder makes.
type output struct {
	path string
	data []byte
}

// render makes a builder's files, in the order of their paths.
func (b builder) render(given map[string]scalar) ([]output, error) {
	values, err := b.values(given)
	if err != nil {
		return nil, err
	}
	var out []output
	for pathTemplate, source := range b.files {
		name, err := expand("path", pathTemplate, values)
		if err != nil {
			return nil, err
		}
		text, err := fs.ReadFile(templates, "templates/"+b.ID+"/"+source)
		if err != nil {
			return nil, err
		}
		data, err := expand(source, string(text), values)
		if err != nil {
			return nil, err
		}
		out = append(out, output{path: path.Clean(string(name)), data: data})
	}
	slices.SortFunc(out, func(a, b output) int { return strings.Compare(a.path, b.path) })
	for i := range len(out) - 1 {
		if out[i].path == out[i+1].path {
			return nil, fmt.Errorf("variables: with these folders two files of builder %s would both be %s; choose different folders", b.ID, out[i].path)
		}
	}
	return out, nil
}

// values checks the given variables, and fills in the others. All problems are reported at
// once.
func (b builder) values(given map[string]scalar) (map[string]string, error) {
	values := map[string]string{}
	var problems []error
	var known []string
	for _, v := range b.Variables {
		known = append(known, v.Name)
		value, ok := given[v.Name]
		switch {
		case !ok && v.Required:
			problems = append(problems, fmt.Errorf("variables.%s: required: %s; allowed: %s", v.Name, v.Description, v.Allowed))
		case !ok:
			values[v.Name] = v.Default
		default:
			if err := allow(string(value), v.Allowed, v.Pattern); err != nil {
				problems = append(problems, fmt.Errorf("variables.%s: %w", v.Name, err))
			}
			values[v.Name] = string(value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("variables.%s: unknown; builder %s has: %s", name, b.ID, strings.Join(known, ", ")))
		}
	}
	return values, errors.Join(problems...)
}

// maxValue bounds a value: the name of a file has at most 255 bytes, endings included.
const maxValue = 100

// allow refuses a value that does not match the pattern; words describe the allowed values.
func allow(value, words, pattern string) error {
	if len(value) > maxValue {
		return fmt.Errorf("%q... is not allowed, it has %d characters; allowed: at most %d", value[:maxValue], len(value), maxValue)
	}
	if !regexp.MustCompile(pattern).MatchString(value) {
		return fmt.Errorf("%q is not allowed; allowed: %s (%s)", value, words, pattern)
	}
	return nil
}

// functions are the functions of templates and output paths.
var functions = template.FuncMap{
	"pascal":     pascal,
	"from":       importPath,
	"beside":     beside,
	"middleware": middleware,
	"page":       page,
}

// expand executes a template; its delimiters occur in neither TypeScript nor SQL as
// they are written here.
func expand(name, text string, values map[string]string) ([]byte, error) {
	t, err := template.New(name).Delims("[[", "]]").Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// pascal makes "health-check" and "health_check" "HealthCheck".
func pascal(s string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// importPath is how a module in the folder from imports the module to; both are
// relative to the same folder.
func importPath(from, to string) string {
	a, b := parts(from), parts(to)
	for len(a) > 0 && len(b) > 1 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	up := strings.Repeat("../", len(a))
	if up == "" {
		up = "./"
	}
	return up + strings.Join(b, "/")
}

func parts(p string) []string {
	p = path.Clean(p)
	if p == "." {
		return nil
	}
	return strings.Split(p, "/")
}

// beside is the folder that holds the app router's folder, with its slash: where
// Next.js looks for the middleware.
func beside(appDir string) string {
	if dir := path.Dir(appDir); dir != "." {
		return dir + "/"
	}
	return ""
}

// page is the address of a page in the application, whose path may lack the "/" before it.
func page(path string) string { return "/" + strings.TrimPrefix(path, "/") }

// middleware is the file, and the function in it, that a release of Next.js takes for its
// middleware.
func middleware(release string) (string, error) {
	n, err := strconv.Atoi(release)
	if err != nil {
		return "", err
	}
	if n < 16 {
		return "middleware", nil
	}
	return "proxy", nil
}
