package action

import (
	"fmt"
	"maps"
	"strconv"

	v1 "jobwright.dev/api/v1"
)

// Facts are the facts that an attempt reports with its outcome, by name. The rules of the
// job's failure policy are compared with them. Facts are never changed in place.
type Facts map[v1.Fact]string

// With returns a copy of f in which fact has the given value.
func (f Facts) With(fact v1.Fact, value any) Facts {
	with := maps.Clone(f)
	if with == nil {
		with = Facts{}
	}
	with[fact] = fmt.Sprint(value)
	return with
}

// Number returns the value of a numeric fact; 0 if the fact was not reported.
func (f Facts) Number(fact v1.Fact) int64 {
	n, _ := strconv.ParseInt(f[fact], 10, 64)
	return n
}
