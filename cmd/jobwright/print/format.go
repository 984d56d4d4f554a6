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

// writeYAML prints v as YAML; see MarshalYAML.
func writeYAML(out io.Writer, v any) error {
	text, err := MarshalYAML(v)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// As prints v in the format: json, or else YAML.
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

// FullName returns kind/name, the form that commands accept.
func FullName(obj v1.Object) string {
	return strings.ToLower(obj.GetObjectKind().GroupVersionKind().Kind) + "/" + obj.GetName()
}
