package schema

import (
	"errors"
	"fmt"
	"net/url"
)

// maxWeight bounds in how many ways a schema applies to one value. Those of real servers
// stay below 100.
const maxWeight = 10_000

// bounded refuses a schema that applies to one value without end, or in so many ways that
// checking would seem to be without end.
func bounded(root any) error {
	w := weigher{root: root, known: map[string]int{}, open: map[string]bool{}}
	return w.all(root, "")
}

// weigher counts the ways; known are those of references, open the references on the way.
type weigher struct {
	root  any
	known map[string]int
	open  map[string]bool
}

// all weighs each schema of a schema.
func (w *weigher) all(node any, at string) error {
	if _, err := w.weigh(node); err != nil {
		return err
	}
	object, _ := node.(map[string]any)
	for _, place := range below(object, at) {
		if err := w.all(place.node, place.at); err != nil {
			return err
		}
	}
	return nil
}

// weigh counts in how many ways a schema applies to one value.
func (w *weigher) weigh(node any) (int, error) {
	object, ok := node.(map[string]any)
	if !ok {
		return 1, nil
	}
	sum := 1
	if ref, ok := object["$ref"].(string); ok {
		n, err := w.reference(ref)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	for _, place := range below(object, "") {
		if !place.same {
			continue
		}
		n, err := w.weigh(place.node)
		if err != nil {
			return 0, err
		}
		if sum += n; sum > maxWeight {
			return 0, errors.New("it applies to one value in too many ways")
		}
	}
	return sum, nil
}

func (w *weigher) reference(ref string) (int, error) {
	if w.open[ref] {
		return 0, fmt.Errorf("%s refers to itself", ref)
	}
	if n, ok := w.known[ref]; ok {
		return n, nil
	}
	target, ok := resolve(w.root, ref)
	if !ok {
		return 1, nil // an anchor, or nothing; the library says which
	}
	w.open[ref] = true
	defer delete(w.open, ref)
	n, err := w.weigh(target)
	w.known[ref] = n
	return n, err
}

// unescaped is a part of a reference without its percent signs.
func unescaped(token string) string {
	if plain, err := url.PathUnescape(token); err == nil {
		return plain
	}
	return token
}
