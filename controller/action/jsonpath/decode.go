package jsonpath

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth is how deep values may be nested: ten times what APIs answer, and little enough
// for a stack.
const maxDepth = 1000

// bom begins a text of UTF-8 that says so. RFC 8259 lets a reader ignore it.
var bom = []byte("\xef\xbb\xbf")

// ErrEmpty is the error of Decode for a text without a value.
var ErrEmpty = errors.New("it is empty")

// Decode reads the one JSON value of a text into map[string]any, []any, string,
// json.Number, bool and nil. A byte order mark is ignored.
func Decode(text []byte) (any, error) {
	text = bytes.TrimPrefix(text, bom)
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, ErrEmpty
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	value, err := decode(d, "", 0)
	if err != nil {
		return nil, syntax(err)
	}
	if !d.More() {
		if _, err := d.Token(); err == nil || !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("after the value there is more, at byte %d", d.InputOffset())
		}
		return value, nil
	}
	at := d.InputOffset()
	if _, err := decode(d, "", 0); err != nil {
		return nil, fmt.Errorf("after the value there is more, at byte %d", at)
	}
	return nil, fmt.Errorf("it has several values one after another, the second at byte %d; only one can be looked into", at)
}

// syntax says that a text ends too early in words that name no function of ours.
func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends in the middle")
	}
	return err
}

func decode(d *json.Decoder, path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d, path, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decode(d, path, depth+1) // an index would be a text for each element
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

func decodeObject(d *json.Decoder, path string, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("a member has no name, at byte %d", d.InputOffset())
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("the member %q comes twice%s, so that its value depends on who reads it", cut(key), within(path))
		}
		if object[key], err = decode(d, key, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

func within(path string) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf(" in %q", cut(path))
}

func cut(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
