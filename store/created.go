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
	if exact, ok := uidTime(obj); ok && exact.Unix() == created.Unix() {
		return exact
	}
	return created
}

// SubmittedAt is a creation time for ordering: it never decreases from one object to the
// next, even if the clock is set back, because it comes from the uid (UUID version 7),
// which is monotonic. CreatedAt is the time to show.
func SubmittedAt(obj v1.Object) time.Time {
	created := obj.GetCreationTimestamp().Time
	if exact, ok := uidTime(obj); ok && exact.Unix() >= created.Unix() {
		return exact
	}
	return created
}

// uidTime is the time in a uid of version 7; false: it is of another.
func uidTime(obj v1.Object) (time.Time, bool) {
	id, err := uuid.Parse(string(obj.GetUID()))
	if err != nil || id.Version() != 7 {
		return time.Time{}, false
	}
	ms := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	return time.UnixMilli(ms), true
}
