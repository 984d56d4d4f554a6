package action

import (
	"fmt"
	"maps"
	"strconv"

	v1 "jobwright.dev/api/v1"
)

// Facts are what an attempt reports about its end, by name. The rules of the job's failure
// policy are compared with them. Facts are never changed in place.
type Facts map[v1.Fact]string

// With is f and one more fact, or another value of the same.
func (f Facts) With(fact v1.Fact, value any) Facts {
	with := maps.Clone(f)
	if with == nil {
		with = Facts{}
	}
	with[fact] = fmt.Sprint(value)
	return with
}

// Number is the value of a fact that is a number; 0: the fact was not reported.
func (f Facts) Number(fact v1.Fact) int64 {
	n, _ := strconv.ParseInt(f[fact], 10, 64)
	return n
}
