package file

import (
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/vfs"
)

// Options of a store; the zero value is ready to use.
type Options struct {
	// Log is told about what a person may want to know: a repaired end, an edited
	// jobs.json, a network filesystem, a write error. Unset: nobody is.
	Log logr.Logger
	// Registerer takes the metrics. Unset: they are not registered.
	Registerer prometheus.Registerer
	// Kinds are those that the store keeps. Unset: v1.Kinds().
	Kinds v1.KindSet
	// Admit validates an object of a jobs.json that was edited by hand. Unset: every
	// object of a known kind is admitted.
	Admit func(v1.Object) error
	// AcceptEdited takes over a jobs.json that was edited by hand, when it is valid. Unset:
	// a file whose checksums do not fit is refused, with ErrEdited when it is valid.
	AcceptEdited bool
	// FS is the filesystem. Unset: the operating system's.
	FS vfs.FS
	// SegmentSize is the size of the journal's segments. 0: journal's default.
	SegmentSize int64
	// MinFree is how many bytes must be free on the disk for new work to be taken.
	// 0: DefaultMinFree; negative: not checked.
	MinFree int64
	// Workspaces: an object is created only in a workspace that there is, or that the same
	// call makes. A workspace that has objects is never deleted.
	Workspaces bool
	// MaxObjectBytes limits one object's encoding. 0: defaultMaxObjectBytes.
	MaxObjectBytes int
	// IdleDelay is how long after the last write jobs.json is rewritten. 0:
	// defaultIdleDelay.
	IdleDelay time.Duration
	// Idle is called when jobs.json has been rewritten and nothing was written since: the
	// moment to give memory back. Unset: nothing is called.
	Idle func()
}

const (
	// DefaultMinFree leaves room for the journal's next segments and for the rewrite
	// of a small jobs.json; the rewrite of a large one is checked by itself.
	DefaultMinFree = 256 << 20
	// defaultMaxObjectBytes is etcd's limit of a request, which clients of the
	// Kubernetes API know.
	defaultMaxObjectBytes = 3 << 19
	// defaultIdleDelay keeps the promise "within a second of going idle".
	defaultIdleDelay = 500 * time.Millisecond
	// maxSoft is how many versions may be used up by soft writes that no disk has
	// seen; recovery skips as many.
	maxSoft = 4096
	// softDelay is how soon a soft write is written when no durable one comes.
	softDelay = 100 * time.Millisecond
)
