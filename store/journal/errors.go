package journal

import (
	"errors"
	"fmt"
)

var (
	// ErrBroken: an earlier write or fdatasync failed, so nothing can be appended
	// until the journal was repaired or opened again.
	ErrBroken = errors.New("the journal takes no more writes after an error")
	// ErrGone: the segment was removed, moved or replaced while the journal was open.
	ErrGone = errors.New("the file was removed, moved or replaced under the running server")
	// errTooLarge: the block exceeds maxBlock.
	errTooLarge = errors.New("too large for one commit")
)

// Corrupt is damage: bytes that are neither an acknowledged state nor the torn end
// of one. Nothing was changed.
type Corrupt struct {
	// File and Offset say where.
	File   string
	Offset int64
	// Cause is the fault in the bytes there.
	Cause string
	// Advice is the remedy.
	Advice string
}

// Error implements error.
func (c *Corrupt) Error() string {
	return fmt.Sprintf("%s: offset %d: %s; nothing was changed; %s", c.File, c.Offset, c.Cause, c.Advice)
}

// adviceRestore is the remedy for damage.
const adviceRestore = "copy the data folder away, then check the disk and restore the latest backup (jobwright fsck shows what can still be read)"
