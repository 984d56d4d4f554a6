// Package logs is the contract between Jobwright and the engines that keep the output of jobs.
// Logs lie apart from the job objects: a job's output survives its attempt, its timeout
// and its cancellation, and a chatty job never makes an object large. Engines stand in
// packages of their own (store/logs/file is the default) and prove themselves with
// store/logs/logstest.
//
// # Semantics
//
//  1. A log is a sequence of entries, each one line of output. It only grows.
//  2. An offset is the position after an entry, opaque to callers but for zero, which is
//     the start. Offsets rise with each entry; reading from one continues exactly there.
//  3. A follower sees an entry soon after Line has returned, once and in order.
//  4. The engine bounds a log. Output beyond the bound is counted and dropped, and the
//     last entry of the attempt says how much.
//  5. An entry is UTF-8 without a line end, of at most MaxLine bytes.
//  6. A crash of the machine may lose the last seconds of output, never an object. What
//     the engine cannot keep (the disk is full) is dropped; Close tells.
package logs

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// MaxLine is the longest text of an entry in bytes.
const MaxLine = 64 << 10

// Store keeps logs. It is safe for concurrent use. Its errors are those of package store:
// ErrInvalid for a Ref or an offset that no log can have, ErrClosed after the engine was
// closed.
type Store interface {
	// Writer returns a writer at the end of the job's log. A job that prints nothing has
	// no log. ErrInvalid.
	Writer(ref Ref) (Writer, error)

	// Open returns a reader at the start of the job's log, which need not exist yet. What
	// is wrong with ref the reader's first call tells.
	Open(ref Ref) Reader

	// Remove deletes the job's log; it is no error when there is none. ErrInvalid.
	Remove(ctx context.Context, ref Ref) error

	// Each calls visit with every log whose UID is a UUID, as those of all stored jobs are,
	// and ends with visit's first error or ctx's. visit may remove the log. A log that is
	// begun or removed meanwhile may be visited or not.
	Each(ctx context.Context, visit func(Ref) error) error
}

// Writer appends the output of one attempt to its job's log. It is safe for concurrent
// use.
type Writer interface {
	// Line appends one line and never blocks for long. A text with line ends becomes
	// several entries, as does one longer than MaxLine, which is cut between characters;
	// invalid UTF-8 is replaced.
	Line(now time.Time, stream Stream, text string)

	// Close ends the attempt's output and returns the first error that kept output from
	// being stored. A second Close returns the same.
	Close(now time.Time) error
}

// Reader reads one job's log. It is used by one goroutine.
type Reader interface {
	// From continues after the entry with that offset. An offset inside an entry
	// continues after that entry; one behind the end waits there. ErrInvalid: it is
	// negative.
	From(ctx context.Context, offset int64) error

	// Tail continues with the last n entries there are now. ErrInvalid: n is negative.
	Tail(ctx context.Context, n int) error

	// Last returns the last entries there are now, in order: at most that many, and of
	// their text at most that many bytes, or fewer where the engine counts what it stores
	// beside. before says that there are entries in front of them. ErrInvalid: a bound is
	// negative.
	Last(ctx context.Context, entries, bytes int) (last []Entry, before bool, err error)

	// Read returns the next entries that are there, in order; none at the end of the log.
	Read(ctx context.Context) ([]Entry, error)

	// Next returns the next entries, or waits for some. It returns the context's error
	// when ctx ends first.
	Next(ctx context.Context) ([]Entry, error)

	// Close gives up what the reader holds.
	Close() error
}

// Ref names the log of one job; UID keeps it apart from the log of another job that had
// the same name before.
type Ref struct {
	Workspace string
	Job       string
	UID       types.UID
}

// Stream is where a line of output came from: a word without spaces, as the actions
// define them.
type Stream string

// System is the stream of Jobwright's own words.
const System Stream = "system"

// Entry is one line of output.
type Entry struct {
	// Offset is the position after this entry; pass it to Reader.From to go on.
	Offset int64     `json:"offset"`
	Time   time.Time `json:"time"`
	Stream Stream    `json:"stream"`
	Text   string    `json:"text"`
}
