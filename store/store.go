package store

import (
	"context"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

// Store keeps objects. It is safe for concurrent use. Every method may answer
// ErrClosed after the engine was closed, ErrUnavailable while it cannot be reached,
// and the context's error when ctx ends first; a write whose context ends while it
// waits for the disk, and one that answers ErrUnknown, may or may not have happened.
type Store interface {
	// Features are the optional properties that the engine has.
	Features() Features

	// Get returns the object with that key, or ErrNotFound.
	Get(ctx context.Context, key Key) (Record, error)

	// List returns the selected objects. ErrInvalid: a bad continue token or a
	// negative limit.
	List(ctx context.Context, opts ListOptions) (Page, error)

	// Create stores new objects and returns their records in the same order; see
	// Features.AtomicCreate for more than one. ErrExists: a key is taken, or named twice. ErrInvalid: no name,
	// a namespace where there must be none or none where there must be one, an
	// object larger than the engine takes. ErrNoWorkspace, from an engine that watches over
	// it. ErrReadOnly, ErrFull: see there.
	Create(ctx context.Context, objs ...v1.Object) ([]Record, error)

	// Update stores obj's spec and author's metadata over the object with its key.
	// ErrNotFound; ErrConflict when resourceVersion or a set uid differs;
	// ErrInvalid when resourceVersion is unset; ErrReadOnly, ErrFull.
	Update(ctx context.Context, obj v1.Object) (Record, error)

	// UpdateStatus stores obj's status over that of the object with its key; what
	// obj holds beside its key, uid, resourceVersion and status is not looked at.
	// Errors as for Update. See Durability for what the answer promises.
	UpdateStatus(ctx context.Context, obj v1.Object, d Durability) (Record, error)

	// Delete removes the object and returns its last state, as told by
	// Features.DeletedVersion; with finalizers it only sets deletionTimestamp. ErrNotFound; ErrConflict when a precondition
	// does not hold; ErrNotEmpty; ErrReadOnly. A full disk does not keep from deleting.
	Delete(ctx context.Context, key Key, pre Preconditions) (Record, error)

	// Watch delivers the changes after opts.Since. ErrExpired: the engine does not
	// know that version any more (or never did). An engine that cannot tell at once
	// answers so at the watch's first Next.
	Watch(ctx context.Context, opts WatchOptions) (Watch, error)

	// Count tells how many objects of the kind there are, by workspace, type and
	// phase. Engines that have an index answer in a time that depends on the number
	// of groups, others count objects: it is for a start and for people, not for a loop.
	Count(ctx context.Context, kind string) ([]Count, error)
}

// Key names one object.
type Key struct {
	// Kind as manifests spell it, e.g. "Job".
	Kind string
	// Namespace is the workspace; empty for cluster-scoped kinds.
	Namespace string
	Name      string
}

// String renders the key for errors and logs: "job acme/x", "workspace acme".
func (k Key) String() string {
	kind := lower(k.Kind)
	if k.Namespace == "" {
		return kind + " " + k.Name
	}
	return kind + " " + k.Namespace + "/" + k.Name
}

// KeyOf is the key of obj, whose kind must be set.
func KeyOf(obj v1.Object) Key {
	return Key{Kind: v1.KindOf(obj), Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Durability is the promise of an acknowledged status write.
type Durability int

const (
	// Durable: on disk before it is acknowledged or seen by any reader.
	Durable Durability = iota
	// Soft: seen at once and on disk with the next durable write, or soon. A crash
	// of the machine may take it back; an acknowledged durable write that came
	// later never survives without it. For progress, which the next report makes
	// good.
	Soft
)

// Order of a list.
type Order int

const (
	// ByName sorts by namespace, then name, as the Kubernetes API does.
	ByName Order = iota
	// NewestFirst sorts by SubmittedAt, then by uid, both downwards: the latest created
	// first. An object that came with a uid of its own stands where that uid says.
	NewestFirst
	// OldestFirst is NewestFirst upwards.
	OldestFirst
)

// ListOptions select and page a list.
type ListOptions struct {
	// Kind is required.
	Kind string
	// Namespace limits the list to one workspace; empty: all of them.
	Namespace string
	// Name limits the list to one name; empty: all of them.
	Name string
	// Labels limits the list to what the selector matches; nil: everything.
	Labels labels.Selector
	// Phases limits the list to objects in one of these; empty: all of them.
	Phases []v1.JobPhase
	Order  Order
	// Limit is the most records to return; 0: all.
	Limit int
	// Continue is Page.Continue of the page before; empty: from the start. The
	// other options must be as they were for that page.
	Continue string
}

// Page is one page of a list. Pages that follow each other show, each, the state
// at its own ResourceVersion: an object that exists all along is returned exactly
// once.
type Page struct {
	Items []Record
	// ResourceVersion is the version at which the page was read; a watch of this kind
	// from there misses nothing.
	ResourceVersion uint64
	// Continue fetches the next page; empty: this was the last.
	Continue string
	// Remaining is how many selected records follow this page, or -1 when the
	// engine would have to count them one by one.
	Remaining int64
}

// Preconditions must hold for a Delete; unset ones are not checked.
type Preconditions struct {
	UID             types.UID
	ResourceVersion uint64
}

// WatchOptions select what a watch delivers.
type WatchOptions struct {
	// Kind is required.
	Kind string
	// Namespace, Name and Labels limit the watch as in ListOptions. An object that
	// starts to match a label selector is delivered as Added, one that stops as
	// Deleted.
	Namespace string
	Name      string
	Labels    labels.Selector
	// Since is the version after which changes are delivered: Page.ResourceVersion
	// of a list, or the resourceVersion of the last event that was seen.
	Since uint64
}

// Watch is a reader's place in the stream of changes. It is used by one goroutine.
type Watch interface {
	// Next waits for the next changes and returns them in order, at least one.
	// ErrExpired: the reader fell behind further than the engine remembers.
	// ErrClosed: the store was closed. ErrUnavailable: the stream broke off; a new
	// watch from the last event's version misses nothing. Otherwise the context's error.
	Next(ctx context.Context) ([]Event, error)
	// Progress is the version up to which everything that the watch selects was
	// delivered: a new watch from there misses nothing. It rises with changes that are
	// not selected too, as Next looks through them, so that the place of an idle watch
	// does not grow old: give Next a context that ends now and then, and ask.
	Progress() uint64
	// Close gives up the place. It does not interrupt a Next under way.
	Close()
}

// EventType is the kind of a change.
type EventType string

// The types of Event; the values are those of the Kubernetes watch protocol.
const (
	Added    EventType = "ADDED"
	Modified EventType = "MODIFIED"
	Deleted  EventType = "DELETED"
)

// Event is one change of one object.
type Event struct {
	Type EventType
	// Record is the object after the change; for Deleted its last state, with the
	// resourceVersion of the deletion.
	Record Record
}

// Count is how many objects share a workspace, type and phase.
type Count struct {
	Namespace string
	Type      v1.JobType
	Phase     v1.JobPhase
	N         int
}
