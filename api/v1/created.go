package v1

import (
	"encoding/hex"
	"time"
)

// CreatedAt is when obj was created, in milliseconds: from its uid (UUID version 7)
// where that agrees with creationTimestamp, which knows only seconds.
func CreatedAt(obj Object) time.Time {
	created := obj.GetCreationTimestamp().Time
	if exact, ok := uidTime(string(obj.GetUID())); ok && exact.Unix() == created.Unix() {
		return exact
	}
	return created
}

// SubmittedAt is a creation time for ordering: it does not decrease from one object to
// the next, even if the clock is set back, because it comes from the uid (version 7),
// which is monotonic. CreatedAt is the time to show.
func SubmittedAt(obj Object) time.Time {
	created := obj.GetCreationTimestamp().Time
	if exact, ok := uidTime(string(obj.GetUID())); ok && exact.Unix() >= created.Unix() {
		return exact
	}
	return created
}

// uidTime is the time in a uid of version 7, which is the first 48 bits in milliseconds;
// false: uid is another.
func uidTime(uid string) (time.Time, bool) {
	const version = len("01991234-5678-")
	if len(uid) != len("01991234-5678-7abc-8def-0123456789ab") || uid[version] != '7' {
		return time.Time{}, false
	}
	var digits [12]byte
	copy(digits[copy(digits[:], uid[:8]):], uid[9:13])
	var stamp [6]byte
	if _, err := hex.Decode(stamp[:], digits[:]); err != nil {
		return time.Time{}, false
	}
	ms := int64(0)
	for _, b := range stamp {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms), true
}
