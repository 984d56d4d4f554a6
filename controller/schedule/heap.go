package schedule

import "container/heap"

// ranked is a heap whose elements know their place, so that any of them can be moved
// or taken out. A place of −1 means that the element is not in the heap.
type ranked[T any] struct {
	list   []T
	before func(a, b T) bool
	at     func(T) *int
}

func (r *ranked[T]) Len() int           { return len(r.list) }
func (r *ranked[T]) Less(i, j int) bool { return r.before(r.list[i], r.list[j]) }

func (r *ranked[T]) Swap(i, j int) {
	r.list[i], r.list[j] = r.list[j], r.list[i]
	*r.at(r.list[i]), *r.at(r.list[j]) = i, j
}

func (r *ranked[T]) Push(x any) {
	element := x.(T)
	*r.at(element) = len(r.list)
	r.list = append(r.list, element)
}

func (r *ranked[T]) Pop() any {
	var none T
	last := len(r.list) - 1
	element := r.list[last]
	r.list[last] = none
	r.list = r.list[:last]
	*r.at(element) = -1
	return element
}

// first is the element that comes first; false: there is none.
func (r *ranked[T]) first() (first T, ok bool) {
	if len(r.list) == 0 {
		return first, false
	}
	return r.list[0], true
}

// put adds the element, or moves it to where it belongs now.
func (r *ranked[T]) put(element T) {
	if at := *r.at(element); at >= 0 {
		heap.Fix(r, at)
		return
	}
	heap.Push(r, element)
}

// drop takes the element out, if it is in.
func (r *ranked[T]) drop(element T) {
	if at := *r.at(element); at >= 0 {
		heap.Remove(r, at)
	}
}
