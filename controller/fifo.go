package controller

// FIFO is a first-in, first-out queue whose memory is used again. The zero value is empty.
type FIFO[T comparable] struct {
	list []T
	from int
}

// Shrink gives back the memory of an empty queue that was long.
func (f *FIFO[T]) Shrink() {
	if f.from == len(f.list) && cap(f.list) > kept {
		*f = FIFO[T]{}
	}
}

// Push adds an item at the end.
func (f *FIFO[T]) Push(item T) {
	if f.from > len(f.list)/2 && f.from > 64 {
		n := copy(f.list, f.list[f.from:])
		clear(f.list[n:])
		f.list, f.from = f.list[:n], 0
	}
	f.list = append(f.list, item)
}

// First is what Pop would return; false: there is nothing.
func (f *FIFO[T]) First() (item T, ok bool) {
	if f.from == len(f.list) {
		return item, false
	}
	return f.list[f.from], true
}

// Pop takes the first item out; false: there is none.
func (f *FIFO[T]) Pop() (item T, ok bool) {
	if f.from == len(f.list) {
		f.list, f.from = f.list[:0], 0
		return item, false
	}
	item = f.list[f.from]
	clear(f.list[f.from : f.from+1])
	f.from++
	return item, true
}
