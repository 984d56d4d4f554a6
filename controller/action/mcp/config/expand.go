package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Surroundings are what the references of a file are replaced by.
type Surroundings struct {
	// Lookup finds a variable of the environment.
	Lookup func(name string) (value string, ok bool)
	// Workspace is ${workspaceFolder}.
	Workspace string
	// Home is ${userHome} and ~/; empty: there is none.
	Home string

	inputs map[string]string // what the file says of its inputs
	// secret gets the value of each variable that is referred to and whose name tells that it
	// holds a secret; nil: nobody wants to know.
	secret func(value string)
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// bareVariable is $NAME, which Gemini CLI and Kiro replace.
	bareVariable  = regexp.MustCompile(`^\$[A-Z_][A-Z0-9_]*$`)
	bareVariables = regexp.MustCompile(`\$[A-Z_][A-Z0-9_]*`)
)

// expand replaces the references of a text.
func (s Surroundings) expand(text string) (string, error) {
	var out strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			out.WriteString(text)
			return out.String(), nil
		}
		out.WriteString(text[:start])
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			return "", errors.New("${ is begun and not ended")
		}
		value, err := s.resolve(text[start+2 : start+end])
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = text[start+end+1:]
	}
}

// resolve is what ${reference} stands for.
func (s Surroundings) resolve(reference string) (string, error) {
	switch reference {
	case "workspaceFolder":
		return s.Workspace, nil
	case "workspaceFolderBasename":
		return s.Workspace[strings.LastIndexByte(s.Workspace, '/')+1:], nil
	case "userHome":
		return s.home("${userHome}")
	case "pathSeparator", "/":
		return "/", nil
	}
	if input, ok := strings.CutPrefix(reference, "input:"); ok {
		said := ""
		if about := s.inputs[input]; about != "" {
			said = fmt.Sprintf(" (%s)", about)
		}
		return "", fmt.Errorf("${input:%s}%s asks a person, and there is none: set a variable in Jobwright's environment and write ${NAME} with its name", input, said)
	}
	name, fallback, hasFallback := strings.Cut(strings.TrimPrefix(reference, "env:"), ":-")
	if !variableName.MatchString(name) {
		return "", fmt.Errorf("${%s} is no reference that is known here; there are ${NAME}, ${NAME:-text}, ${env:NAME}, ${workspaceFolder}, ${userHome}", reference)
	}
	value, ok := s.Lookup(name)
	if hasFallback && value == "" {
		return fallback, nil
	}
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	if s.secret != nil && secretName().MatchString(name) {
		s.secret(value)
	}
	return value, nil
}

// value expands a value of env, which may also be $NAME as a whole, or a path.
func (s Surroundings) value(text string) (string, error) {
	if bareVariable.MatchString(text) {
		return s.resolve(text[1:])
	}
	return s.path(text)
}

// header expands the value of a header, in which $NAME may stand anywhere.
func (s Surroundings) header(text string) (string, error) {
	return s.expand(bareVariables.ReplaceAllStringFunc(text, func(name string) string { return "${" + name[1:] + "}" }))
}

// path expands a path, which may also begin with ~/.
func (s Surroundings) path(text string) (string, error) {
	out, err := s.expand(text)
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(text, "~/"); ok || text == "~" {
		home, err := s.home("~/")
		if err != nil {
			return "", err
		}
		if rest, err = s.expand(rest); err != nil || text == "~" {
			return home, err
		}
		return home + "/" + rest, nil
	}
	return out, nil
}

func (s Surroundings) home(reference string) (string, error) {
	if s.Home == "" {
		return "", fmt.Errorf("%s: Jobwright's user has no home folder", reference)
	}
	return s.Home, nil
}
