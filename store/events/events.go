// Package events is the contract between Jobwright and the engines that keep the events
// to jobs: an event for each transition, with its reason and message. Events lie apart
// from the job objects: an event outlives the attempt and the history it is about. What
// deleted jobs leave is removed by who drives jobs (Keeper). Engines stand in packages of their own (store/events/file is the default) and
// prove themselves with store/events/eventstest.
//
// # Semantics
//
//  1. Numbers (Event.Seq) rise strictly, over restarts too, and are never used twice.
//  2. Append never waits for a disk or a network. A read returns every event that was
//     appended before through the same Store.
//  3. A list is the newest first and shows of each job only its newest events, as many as
//     the engine is told to. Within a page, identical events of a job in a row are one
//     with a Count.
//  4. A follower sees each event once, in order, without gaps; where its next event is
//     gone it gets ErrExpired, and its owner lists anew.
//  5. The engine bounds what it keeps: the oldest events go first.
//  6. The job objects never depend on an event. A crash may lose the last ones.
package events

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
)

// ErrFull is returned when the events that wait to be written leave no room for
// another: the engine's disk does not keep up, or hangs.
var ErrFull = errors.New("too many events wait to be written")

// Store keeps events. It is safe for concurrent use. Its errors are those of package
// store: ErrInvalid, ErrExpired, and ErrClosed after the engine was closed.
type Store interface {
	Recorder

	// Append takes an event, which is written soon after. store.ErrInvalid: see
	// Event.Complete; ErrFull.
	Append(event Event) error

	// List returns what f selects. ctx bounds how long events that were appended before
	// are waited for. What cannot be read any more is passed over, logged and counted.
	List(ctx context.Context, f Filter) (Page, error)

	// Follow returns a follower of what f selects with numbers above after, which is a
	// Page's or an Event's Seq; Limit and Before are not used. Repeated events come one
	// by one, however many there are of a job.
	Follow(after uint64, f Filter) Follower
}

// Keeper removes the events of deleted jobs.
type Keeper interface {
	// Each calls visit with every job that has events, at least once, and ends with visit's
	// first error or ctx's. visit may remove the job's events.
	Each(ctx context.Context, visit func(Ref) error) error

	// Remove removes the events of a job that were appended before; it is no error when
	// there is none. The numbers of others stay.
	Remove(ctx context.Context, ref Ref) error
}

// Ref names the events of one job; UID keeps them apart from those of another job that had
// the same name before.
type Ref struct {
	Workspace string
	Job       string
	UID       types.UID
}

// Recorder takes events. A Recorder deals with its errors itself: an event is never a
// reason for a transition to fail.
type Recorder interface {
	// Record is Append for a caller that cannot deal with errors: they are counted and
	// logged.
	Record(event Event)
}

// Follower delivers events as they are written. It is used by one goroutine.
type Follower interface {
	// Next returns the events that are there, oldest first, or waits for some.
	// store.ErrExpired: the next event is no longer there, or the follower knows a number
	// that was never given. store.ErrClosed. The context's error when ctx ends first.
	Next(ctx context.Context) ([]Event, error)

	// Seq is the number up to which Next has delivered everything.
	Seq() uint64
}
