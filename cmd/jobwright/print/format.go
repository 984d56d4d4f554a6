package print

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// JSON prints v, indented.
func JSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// As prints a value in a machine's format.
func As(out io.Writer, value any, output string) error {
	switch output {
	case "json":
		return JSON(out, value)
	case "yaml":
		data, err := MarshalYAML(value)
		if err == nil {
			_, err = out.Write(data)
		}
		return err
	}
	return cli.Usagef("--output %q: supported values: json, yaml", output)
}

// FullName is kind/name as commands take it.
func FullName(obj v1.Object) string {
	return strings.ToLower(obj.GetObjectKind().GroupVersionKind().Kind) + "/" + obj.GetName()
}

// Object prints one object in a machine's format.
func Object(out io.Writer, obj v1.Object, output string) error {
	switch output {
	case "name":
		_, err := fmt.Fprintln(out, FullName(obj))
		return err
	case "json":
		return JSON(out, obj)
	default:
		data, err := MarshalYAML(obj)
		if err == nil {
			_, err = out.Write(data)
		}
		return err
	}
}
