package schedule

// ranked is a heap whose elements know their place in it, so that any of them can be
// moved or taken out. A place of −1 means that the element is not in the heap.
//
// It is not container/heap: that one costs an interface call a comparison and an
// interface value an element, which is a third of a decision's time here.
type ranked[T any] struct {
	list   []T
	before func(a, b T) bool
	at     func(T) *int32
}

func (r *ranked[T]) Len() int { return len(r.list) }

// first is the element that comes first; false: there is none.
func (r *ranked[T]) first() (first T, ok bool) {
	if len(r.list) == 0 {
		return first, false
	}
	return r.list[0], true
}

// put adds the element, or moves it to where it belongs now.
func (r *ranked[T]) put(element T) {
	at := int(*r.at(element))
	if at < 0 {
		at = len(r.list)
		r.list = append(r.list, element)
	}
	r.sift(at, element)
}

// drop takes the element out, if it is in. It compares the element with nothing, so
// its rank need not be valid any more.
func (r *ranked[T]) drop(element T) {
	at := int(*r.at(element))
	if at < 0 {
		return
	}
	*r.at(element) = -1
	var none T
	end := len(r.list) - 1
	last := r.list[end]
	r.list[end] = none
	r.list = r.list[:end]
	if at < end {
		r.sift(at, last)
	}
}

// sift puts the element where it belongs, from the place at, which is its to give
// away.
func (r *ranked[T]) sift(at int, element T) {
	start := at
	for at > 0 {
		parent := (at - 1) / 2
		if !r.before(element, r.list[parent]) {
			break
		}
		r.set(at, r.list[parent])
		at = parent
	}
	for at == start { // it has not risen, so it may have to sink
		child := 2*at + 1
		if child >= len(r.list) {
			break
		}
		if right := child + 1; right < len(r.list) && r.before(r.list[right], r.list[child]) {
			child = right
		}
		if !r.before(r.list[child], element) {
			break
		}
		r.set(at, r.list[child])
		at, start = child, child
	}
	r.set(at, element)
}

func (r *ranked[T]) set(at int, element T) {
	r.list[at] = element
	*r.at(element) = int32(at)
}

// count is how many elements satisfy within, which must hold for every element that
// comes before one for which it holds. It costs O(what it counts).
func (r *ranked[T]) count(within func(T) bool) int { return r.countFrom(0, within) }

func (r *ranked[T]) countFrom(at int, within func(T) bool) int {
	if at >= len(r.list) || !within(r.list[at]) {
		return 0
	}
	return 1 + r.countFrom(2*at+1, within) + r.countFrom(2*at+2, within)
}
