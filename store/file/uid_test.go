package file

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// TestUIDsAscendThoughTheClockJumps makes uids with a clock that is set back and forth,
// over restarts that read what was made before: creation order is the order of uids.
func TestUIDsAscendThoughTheClockJumps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 23, 9, 39, 49, 123456789, time.UTC)
		highest := now // that the clock has shown
		source := new(uidSource)
		var made []uuid.UUID
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 3e6).Draw(t, "ns")))
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(-86_400, 86_400).Draw(t, "jump")) * time.Second)
				// Behind a clock that was ahead by more than a day nobody wants to queue.
				if now.Before(highest.Add(-23 * time.Hour)) {
					now = highest.Add(-23 * time.Hour)
				}
			case 1: // a restart, which reads in any order
				source = new(uidSource)
				for _, i := range rapid.Permutation(made).Draw(t, "read") {
					source.seen(i, now)
				}
			}
			if now.After(highest) {
				highest = now
			}
			id := source.next(now)
			if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Fatalf("%s is of version %d", id, id.Version())
			}
			if n := len(made); n > 0 && bytes.Compare(made[n-1][:], id[:]) >= 0 {
				t.Fatalf("%s comes after %s", id, made[n-1])
			}
			made = append(made, id)
		}
	})
}

func TestAUIDOfAClockThatWasFarAheadDoesNotHoldTheOthers(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 39, 49, 0, time.UTC)
	ahead := new(uidSource).next(now.AddDate(10, 0, 0))
	source := new(uidSource)
	source.seen(ahead, now)
	id := source.next(now)
	if seconds, _ := id.Time().UnixTime(); seconds != now.Unix() {
		t.Errorf("%s is of %s, want %s", id, time.Unix(seconds, 0), now)
	}
}
