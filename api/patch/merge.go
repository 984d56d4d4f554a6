package patch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Merge makes a patch of a JSON merge patch.
func Merge(text []byte) (Patch, error) {
	if err := checkDepth(text); err != nil {
		return nil, err
	}
	value, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("the body is no JSON merge patch: %w", err)
	}
	changes, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the body is no JSON merge patch: it must be an object")
	}
	return merge(changes), nil
}

type merge map[string]any

// Apply implements Patch.
func (m merge) Apply(document []byte) ([]byte, error) {
	value, err := decode(document)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(merged(value, m)); err != nil {
		return nil, err
	}
	return b.Bytes(), checkResult(b.Len())
}

// merged is RFC 7396's MergePatch, with target changed in place.
func merged(target any, changes map[string]any) map[string]any {
	members, ok := target.(map[string]any)
	if !ok {
		members = map[string]any{}
	}
	for name, change := range changes {
		switch change := change.(type) {
		case nil:
			delete(members, name)
		case map[string]any:
			members[name] = merged(members[name], change)
		default:
			members[name] = change
		}
	}
	return members
}

// decode reads JSON, with numbers as they are written.
func decode(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("there is more after its end")
	}
	return value, nil
}

// checkDepth refuses what lies too deep, without reading it as JSON: brackets outside of
// strings are counted.
func checkDepth(text []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("the patch is more than %d levels deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
