package store

import (
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
)

// CreatedAt is when obj was created, in milliseconds: from its uid (UUID version 7)
// where that agrees with creationTimestamp, which knows only seconds.
func CreatedAt(obj v1.Object) time.Time {
	created := obj.GetCreationTimestamp().Time
	id, err := uuid.Parse(string(obj.GetUID()))
	if err != nil || id.Version() != 7 {
		return created
	}
	ms := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	exact := time.UnixMilli(ms)
	if exact.Unix() != created.Unix() {
		return created
	}
	return exact
}
