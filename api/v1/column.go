package v1

import "time"

// Column is one column of a table of objects.
//
// +kubebuilder:object:generate=false
type Column struct {
	// Name is the column's head, e.g. "PHASE".
	Name string
	// Wide tells that the column is shown only when much is asked for.
	Wide bool
	// Value is what the column says of an object: a string, an integer, a time.Duration or
	// nil. now is when it is asked.
	Value func(obj Object, now time.Time) any
}

// ColumnOf is a Column of objects of type T.
//
// +kubebuilder:object:generate=false
type ColumnOf[T Object] struct {
	Name  string
	Wide  bool
	Value func(obj T, now time.Time) any
}

func (c ColumnOf[T]) column() Column {
	return Column{Name: c.Name, Wide: c.Wide, Value: func(obj Object, now time.Time) any { return c.Value(obj.(T), now) }}
}
