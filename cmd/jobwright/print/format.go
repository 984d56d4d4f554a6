package print

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// JSON prints v, indented.
func JSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// writeYAML prints v with every number as it stands in v's JSON.
func writeYAML(out io.Writer, v any) error {
	text, err := MarshalYAML(v)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// As prints v as JSON where the format is json, else as YAML.
func As(out io.Writer, v any, format string) error {
	if format == "json" {
		return JSON(out, v)
	}
	return writeYAML(out, v)
}

// Object prints one object: its name, JSON or YAML.
func Object(out io.Writer, obj v1.Object, format string) error {
	if format == "name" {
		_, err := fmt.Fprintln(out, FullName(obj))
		return err
	}
	return As(out, obj, format)
}

// FullName is kind/name as commands take it.
func FullName(obj v1.Object) string {
	return strings.ToLower(obj.GetObjectKind().GroupVersionKind().Kind) + "/" + obj.GetName()
}
