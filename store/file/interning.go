package file

import (
	"cmp"
	"encoding/json"
	"runtime"
	"slices"
	"sync"
	"weak"

	v1 "jobwright.dev/api/v1"
)

// label is one label of an object.
type label struct{ key, value string }

// labelSet is the labels of an object, sorted by key; objects with equal labels share
// one. It implements labels.Labels.
type labelSet struct{ pairs []label }

// Has implements labels.Labels.
func (s *labelSet) Has(key string) bool {
	_, ok := s.Lookup(key)
	return ok
}

// Get implements labels.Labels.
func (s *labelSet) Get(key string) string {
	value, _ := s.Lookup(key)
	return value
}

// Lookup implements labels.Labels.
func (s *labelSet) Lookup(key string) (string, bool) {
	if s == nil {
		return "", false
	}
	for _, p := range s.pairs {
		if p.key == key {
			return p.value, true
		}
	}
	return "", false
}

// interning keeps one copy of properties that many objects share.
type interning struct {
	mu      sync.Mutex
	classes map[class]*class
	// labels holds sets weakly, by their JSON: labels may be unique to an object.
	labels map[string]weak.Pointer[labelSet]
}

func newInterning() *interning {
	return &interning{classes: map[class]*class{}, labels: map[string]weak.Pointer[labelSet]{}}
}

// class returns the one class of these properties.
func (t *interning) class(kind, namespace string, jobType v1.JobType, phase v1.JobPhase) *class {
	want := class{kind: kind, namespace: namespace, jobType: jobType, phase: phase}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.oneClass(want)
}

// classOf is class for properties that lie in a buffer.
func (t *interning) classOf(kind, namespace, jobType, phase []byte) *class {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.oneClass(class{kind: string(kind), namespace: string(namespace), jobType: v1.JobType(jobType), phase: v1.JobPhase(phase)})
}

// oneClass returns the class that is kept for want. t.mu is held.
func (t *interning) oneClass(want class) *class {
	c := t.classes[want]
	if c == nil {
		kept := want
		c = &kept
		t.classes[want] = c
	}
	return c
}

// each calls fn for every class.
func (t *interning) each(fn func(*class)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.classes {
		fn(c)
	}
}

// labelSet returns the one set of the labels that raw, a JSON object, holds; nil for
// none.
func (t *interning) labelSet(raw []byte) (*labelSet, error) {
	if len(raw) <= len("{}") {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.labels[string(raw)].Value(); s != nil {
		return s, nil
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	s := &labelSet{pairs: make([]label, 0, len(m))}
	for k, v := range m {
		s.pairs = append(s.pairs, label{k, v})
	}
	slices.SortFunc(s.pairs, func(a, b label) int { return cmp.Compare(a.key, b.key) })
	key := string(raw)
	t.labels[key] = weak.Make(s)
	runtime.AddCleanup(s, t.forget, key)
	return s, nil
}

// forget removes a set that nothing holds any more.
func (t *interning) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.labels[key].Value() == nil {
		delete(t.labels, key)
	}
}
