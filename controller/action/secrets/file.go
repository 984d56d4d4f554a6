package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jobwright.dev/api/strict"
	"jobwright.dev/store/filedb"
)

// MinLength is how many bytes a value has at least.
const MinLength = 4

// maxLength is how many bytes a value may have: an environment variable of Linux has at
// most 128 KiB with its name (MAX_ARG_STRLEN).
const maxLength = 64 << 10

// maxFile bounds the operator's file.
const maxFile = 1 << 20

// maxName bounds a secret's name, in bytes.
const maxName = 253

// validName reports whether a secret may be called so: letters, digits and, within the
// name, "-", "_" and ".".
func validName(name string) bool {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	if name == "" || len(name) > maxName || !plain(name[0]) || !plain(name[len(name)-1]) {
		return false
	}
	for _, c := range []byte(name) {
		if !plain(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// source is where a value comes from; exactly one of the first three is set.
type source struct {
	Value      *string  `json:"value,omitempty"`
	Env        string   `json:"env,omitempty"`
	File       string   `json:"file,omitempty"`
	Workspaces []string `json:"workspaces,omitempty"` // unset: all
	Hosts      []string `json:"hosts,omitempty"`      // to which requests may carry it; unset: all
}

// Set is the operator's secrets; the zero Set and a nil one have none.
type Set struct {
	sources map[string]source
}

// Load reads the operator's file, YAML or JSON. What a value is read from need not be
// there yet.
func Load(path string) (*Set, error) {
	data, err := filedb.ReadText(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("--secrets: %w", err)
	}
	sources := map[string]source{}
	if err := strict.Unmarshal(data, &sources); err != nil {
		// The problem's own words may repeat what stands in the file.
		return nil, fmt.Errorf("--secrets: %s must be a map of names to {value, env or file; workspaces: […]}, each value text (quote what looks like a number, date or boolean), and is not%s", path, lines(err))
	}
	for _, n := range slices.Sorted(maps.Keys(sources)) {
		if err := check(n, sources[n]); err != nil {
			return nil, fmt.Errorf("--secrets: %s: %w", path, err)
		}
		if s := sources[n]; s.File != "" && !filepath.IsAbs(s.File) {
			s.File = filepath.Join(filepath.Dir(path), s.File)
			sources[n] = s
		}
	}
	return &Set{sources: sources}, nil
}

// lines says on which lines the problems are.
func lines(err error) string {
	problems, _ := errors.AsType[strict.Problems](err)
	var at []string
	for _, p := range problems {
		if n := strconv.Itoa(p.Line); p.Line > 0 && !slices.Contains(at, n) {
			at = append(at, n)
		}
	}
	if len(at) == 0 {
		return ""
	}
	return ": see line " + strings.Join(at, ", ")
}

func check(n string, s source) error {
	if !validName(n) {
		return fmt.Errorf("%q is no name: letters, digits, '-', '_' and '.', the first and last a letter or digit", n)
	}
	given := 0
	for _, set := range []bool{s.Value != nil, s.Env != "", s.File != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		return fmt.Errorf("%s: set exactly one of value, env and file", n)
	}
	for _, host := range s.Hosts {
		if rest := strings.TrimPrefix(host, "*."); rest == "" || strings.ContainsAny(rest, "*/@ ") {
			return fmt.Errorf("%s: hosts: %q is no host: use host or *.domain", n, host)
		}
	}
	if s.Value != nil {
		return checkValue(n, *s.Value)
	}
	return nil
}

func checkValue(n, value string) error {
	switch {
	case len(value) < MinLength:
		return fmt.Errorf("secret %s has less than %d bytes; nothing that short can be kept out of a log", n, MinLength)
	case len(value) > maxLength:
		return fmt.Errorf("secret %s has %d bytes, at most %d are passed on", n, len(value), maxLength)
	case strings.ContainsRune(value, 0):
		return fmt.Errorf("secret %s has a zero byte, which no environment can hold", n)
	}
	return nil
}

// ErrUnknown means that a workspace has no secret of that name.
var ErrUnknown = errors.New("no such secret")

// Names returns the names of the secrets that a workspace may use, sorted.
func (s *Set) Names(workspace string) []string {
	var out []string
	if s == nil {
		return nil
	}
	for n, src := range s.sources {
		if src.allows(workspace) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func (s source) allows(workspace string) bool {
	return len(s.Workspaces) == 0 || slices.Contains(s.Workspaces, workspace)
}

// Lookup is a secret's value, as it is now. Errors: ErrUnknown, and what keeps a value
// from being read or used.
func (s *Set) Lookup(workspace, n string) (string, error) {
	var src source
	known := false
	if s != nil {
		src, known = s.sources[n]
	}
	if !known || !src.allows(workspace) {
		return "", fmt.Errorf("%w: %q; %s", ErrUnknown, n, s.available(workspace))
	}
	value, err := src.read()
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", n, err)
	}
	return value, checkValue(n, value)
}

func (s *Set) available(workspace string) string {
	names := s.Names(workspace)
	if len(names) == 0 {
		return fmt.Sprintf("workspace %s has none (serve --secrets FILE)", workspace)
	}
	return fmt.Sprintf("workspace %s has: %s", workspace, strings.Join(names, ", "))
}

// LookupFor is Lookup for a request to a host, which the secret may be kept from.
func (s *Set) LookupFor(workspace, n, host string) (string, error) {
	value, err := s.Lookup(workspace, n)
	if err != nil {
		return "", err
	}
	if hosts := s.sources[n].Hosts; len(hosts) > 0 && !slices.ContainsFunc(hosts, func(pattern string) bool { return covers(pattern, host) }) {
		return "", fmt.Errorf("secret %s may not be sent to %s, only to: %s", n, host, strings.Join(hosts, ", "))
	}
	return value, nil
}

// covers reports whether a host is the one that pattern names, or below *.domain.
func covers(pattern, host string) bool {
	pattern, host = strings.ToLower(pattern), strings.ToLower(strings.TrimSuffix(host, "."))
	if domain, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(host, domain) && len(host) > len(domain)
	}
	return pattern == host
}

func (s source) read() (string, error) {
	switch {
	case s.Value != nil:
		return *s.Value, nil
	case s.Env != "":
		value, ok := os.LookupEnv(s.Env)
		if !ok {
			return "", fmt.Errorf("the server's environment has no %s", s.Env)
		}
		return value, nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", unreadable(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLength+3))
	if err != nil {
		return "", unreadable(err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

// unreadable is the error of a file without its path, which is the operator's.
func unreadable(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return fmt.Errorf("its file cannot be read: %w", err)
}
