package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"jobwright.dev/api/strict"
)

// BindEnv sets flags that the command line does not set from their environment variables.
func BindEnv(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "JOBWRIGHT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || failed != nil || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			failed = Usagef("%s: %v", name, err)
		}
	})
	return failed
}

// BindFile sets flags that neither command line nor environment sets from a file.
func BindFile(flags *pflag.FlagSet, path string) error {
	if path == "" {
		return nil
	}
	data, err := readFile(path)
	if err != nil {
		return err
	}
	values := map[string]setting{}
	if problems := InFile(path, strict.Unmarshal(data, &values)); len(problems) > 0 {
		return errors.Join(problems...)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value, flag := values[name], flags.Lookup(name)
		if flag == nil || name == "config" || name == "help" {
			return Usagef("%s: unknown setting %q%s", path, name, resembling(flags, name))
		}
		if flag.Changed {
			continue
		}
		for _, element := range value {
			if err := flags.Set(name, element); err != nil {
				return Usagef("%s: %s: %v", path, name, err)
			}
		}
	}
	return nil
}

// resembling says which flag may be meant by the name of a setting.
func resembling(flags *pflag.FlagSet, name string) string {
	var known []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "config" && flag.Name != "help" {
			known = append(known, flag.Name)
		}
	})
	if like := strict.Nearest(name, known); like != "" {
		return fmt.Sprintf(": did you mean %q?", like)
	}
	return ""
}

// setting is the value of a flag in a file, or a list of values, as text.
type setting []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *setting) UnmarshalJSON(data []byte) error {
	elements := []json.RawMessage{data}
	if data[0] == '[' {
		if err := json.Unmarshal(data, &elements); err != nil {
			return err
		}
	}
	for _, element := range elements {
		text := string(element)
		switch element[0] {
		case '"':
			if err := json.Unmarshal(element, &text); err != nil {
				return err
			}
		case '{', '[', 'n':
			return errors.New("must be a value or a list of values")
		}
		*s = append(*s, text)
	}
	return nil
}
