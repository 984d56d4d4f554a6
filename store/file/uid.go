package file

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
)

// uidSource makes UUIDs of version 7 that ascend for ever: a clock that jumps back
// holds them where they are instead of sorting new jobs before old ones.
type uidSource struct {
	mu sync.Mutex
	// last is milliseconds since the epoch and a count of 12 bits, as a uid has them.
	last uint64
}

// next returns a uid that sorts behind all others that the source made or has seen.
func (u *uidSource) next(now time.Time) (id uuid.UUID) {
	u.mu.Lock()
	ms := uint64(now.UnixMilli())
	// Sub-millisecond time fills the count, so that it seldom overflows.
	stamp := ms<<12 | uint64(now.Nanosecond()%1e6)*4096/1e6
	u.last = max(u.last+1, stamp)
	stamp = u.last
	u.mu.Unlock()
	binary.BigEndian.PutUint64(id[:8], stamp>>12<<16|0x7000|stamp&0xfff)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|1<<63)
	return id
}

// seen makes later uids sort behind id, unless id was made by another rule or by a
// clock that was more than a day ahead.
func (u *uidSource) seen(id uuid.UUID, now time.Time) {
	if id.Version() != 7 {
		return
	}
	high := binary.BigEndian.Uint64(id[:8])
	stamp := high>>16<<12 | high&0xfff
	if time.UnixMilli(int64(stamp >> 12)).After(now.Add(24 * time.Hour)) {
		return
	}
	u.mu.Lock()
	u.last = max(u.last, stamp)
	u.mu.Unlock()
}
