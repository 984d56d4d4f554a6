// Package status writes the statuses of jobs for the dispatcher and the worker. It resolves
// writes whose answer was lost, counts transitions and records events.
package status

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// Store is the part of a store that a Writer uses.
type Store interface {
	Get(ctx context.Context, key store.Key) (store.Record, error)
	UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error)
}

// Writer writes statuses.
type Writer struct {
	Store Store
	// Events takes an event for each transition; nil: nobody does.
	Events  events.Recorder
	Metrics *Metrics
}

// Write is one status write.
type Write struct {
	Job  *v1.Job      // with the status that is to be written, and the version that was read
	Was  v1.JobStatus // the status before
	Soft bool         // losing it in a crash loses nothing that is not seen again
	Now  time.Time
}

// Do writes the status; the job has its new version then.
func (w *Writer) Do(ctx context.Context, write *Write) (version uint64, err error) {
	durability := store.Durable
	if write.Soft {
		durability = store.Soft
	}
	record, err := w.Store.UpdateStatus(ctx, write.Job, durability)
	if err != nil {
		return 0, err
	}
	version = record.ResourceVersion()
	w.done(write, version)
	return version, nil
}

// done notes a status that is in the store.
func (w *Writer) done(write *Write, version uint64) {
	write.Job.ResourceVersion = strconv.FormatUint(version, 10)
	if write.Soft {
		return
	}
	w.Metrics.transition(write.Job, write.Was.Phase, write.Now)
	w.announce(write.Job, &write.Was)
}

// Unconfirmed reports whether a write that failed with err may have happened all the same.
func Unconfirmed(err error) bool {
	for _, certain := range []error{
		store.ErrConflict, store.ErrNotFound, store.ErrUnavailable, store.ErrInvalid, store.ErrReadOnly, store.ErrFull, store.ErrClosed,
	} {
		if errors.Is(err, certain) {
			return false
		}
	}
	return true
}

// Fate is the result of a write whose answer was lost.
type Fate int

const (
	// Written: the status is in the store, and the job in the Write is the one that was
	// read there; its spec may have changed since.
	Written Fate = iota
	// Overtaken: somebody else wrote first. Nothing of the write is in the store.
	Overtaken
	// Gone: the job was deleted.
	Gone
)

// Confirm finds out whether a write happened whose answer was lost. Taken for one that did
// not, an outcome that is on disk would be told a second time, as a late one, and an
// attempt that never began would be recovered. What did not happen is written again as it
// was decided, so there is one status to compare with, however often the answer is lost.
func (w *Writer) Confirm(ctx context.Context, write *Write) (Fate, uint64, error) {
	for {
		record, err := w.Store.Get(ctx, store.Key{Kind: v1.KindJob, Namespace: write.Job.Namespace, Name: write.Job.Name})
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && record.UID() != write.Job.UID:
			return Gone, 0, nil
		case err != nil:
			return 0, 0, err
		}
		job, err := record.Job()
		switch {
		case err != nil:
			return 0, 0, err
		case Reflects(&job.Status, &write.Job.Status):
			write.Job = job
			w.done(write, record.ResourceVersion())
			return Written, record.ResourceVersion(), nil
		case job.ResourceVersion != write.Job.ResourceVersion:
			return Overtaken, 0, nil
		}
		version, err := w.Do(ctx, write)
		if errors.Is(err, store.ErrConflict) {
			continue // perhaps with the first try, which came later than it was looked for
		}
		return Written, version, err
	}
}

// Reflects reports whether the stored status came of writing wanted: it is what it says,
// or the job has been run again since.
func Reflects(stored, wanted *v1.JobStatus) bool {
	if n := len(stored.History); n > 0 && wanted.CompletionTime != nil {
		if last := stored.History[n-1]; last.Reruns == wanted.Reruns && last.Phase == wanted.Phase &&
			last.CompletionTime.UnixMicro() == wanted.CompletionTime.UnixMicro() {
			return true
		}
	}
	a, err := json.Marshal(stored)
	if err != nil {
		return false
	}
	b, err := json.Marshal(wanted)
	return err == nil && bytes.Equal(a, b)
}
