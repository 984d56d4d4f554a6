package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

// ErrTooLarge: the patch makes more of the object than can be stored.
var ErrTooLarge = errors.New("too large")

// Patch is what is to become of an object.
type Patch interface {
	// Apply returns what the patch makes of an object's JSON. ErrTooLarge: more than
	// maxResult.
	Apply(document []byte) ([]byte, error)
}

// JSON makes a patch of a JSON patch.
func JSON(text []byte) (Patch, error) {
	if err := checkDepth(text); err != nil {
		return nil, err
	}
	operations, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return nil, fmt.Errorf("the body is no JSON patch: %w", err)
	}
	if n := len(operations); n > maxOperations {
		return nil, fmt.Errorf("the patch has %d operations, at most %d are allowed", n, maxOperations)
	}
	steps, copies := steps{nil}, 0
	for i, operation := range operations {
		if err := check(operation); err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		last := len(steps) - 1
		steps[last] = append(steps[last], operation)
		if operation.Kind() != "copy" {
			continue
		}
		if copies++; copies > maxCopies {
			return nil, fmt.Errorf("the patch has more than %d copy operations", maxCopies)
		}
		steps = append(steps, nil)
	}
	return steps, nil
}

// steps are the operations of a JSON patch, up to each that copies and behind the last.
type steps []jsonpatch.Patch

// Apply implements Patch.
func (s steps) Apply(document []byte) (_ []byte, err error) {
	for _, step := range s {
		if len(step) == 0 {
			continue
		}
		if document, err = step.Apply(document); err != nil {
			return nil, err
		}
		if err := checkResult(len(document)); err != nil {
			return nil, err
		}
	}
	return document, nil
}

// check answers what is wrong with an operation: the library takes one that lacks a member
// for one that has it, and panics.
func check(operation jsonpatch.Operation) error {
	needs := map[string][]string{
		"add": {"path", "value"}, "remove": {"path"}, "replace": {"path", "value"}, "test": {"path", "value"},
		"move": {"from", "path"}, "copy": {"from", "path"},
	}
	members, known := needs[operation.Kind()]
	if !known {
		return fmt.Errorf("op %q is unknown; use add, remove, replace, move, copy or test", operation.Kind())
	}
	for _, name := range members {
		raw, there := operation[name]
		if !there || raw == nil && name != "value" {
			return fmt.Errorf("%s needs %s", operation.Kind(), name)
		}
		if name == "value" {
			continue
		}
		at, ok := pointer(raw)
		if !ok || at != "" && at[0] != '/' {
			return fmt.Errorf("%s is no JSON pointer, as in /spec/priority", name)
		}
		if depth := strings.Count(at, "/"); depth > maxDepth {
			return fmt.Errorf("%s is %d levels deep, at most %d are allowed", name, depth, maxDepth)
		}
	}
	return nil
}

// pointer is the text of a JSON pointer.
func pointer(raw *json.RawMessage) (text string, ok bool) {
	ok = json.Unmarshal(*raw, &text) == nil
	return text, ok
}

func checkResult(size int) error {
	if size > maxResult {
		return fmt.Errorf("%w: the patch makes the object %d bytes, at most %d are allowed", ErrTooLarge, size, maxResult)
	}
	return nil
}
