package controller

import (
	"sync"

	"github.com/google/uuid"

	"jobwright.dev/store"
)

// Object is the Item of a controller that keeps nothing of an object but its key.
type Object struct {
	Key   store.Key
	state State
}

// QueueState implements Item.
func (o *Object) QueueState() *State { return &o.state }

// Objects is a Handler that asks for a reconcile of every object that is listed, created,
// changed or deleted. Two sources of one controller may share one, e.g. that of CronJobs
// and that of the Jobs they own.
type Objects struct {
	Queue *Queue[*Object]
	// Concerns names the objects that a change wants reconciled; nil: the changed one.
	Concerns func(store.Record) []store.Key

	mu    sync.Mutex
	known map[store.Key]*known
}

type known struct {
	object *Object
	uid    uuid.UUID // of the object that bears the key, or bore it last
}

// Handle implements Handler.
func (o *Objects) Handle(changes []store.Event) {
	for _, change := range changes {
		keys := []store.Key{change.Record.Key()}
		if o.Concerns != nil {
			keys = o.Concerns(change.Record)
		}
		for _, key := range keys {
			o.add(key, change.Record.UUID())
		}
	}
}

// Listed implements Handler. An object that is gone is reconciled once more.
func (o *Objects) Listed(_ uint64, shown func(uuid.UUID) bool) {
	if shown == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range o.known {
		if !shown(k.uid) {
			o.Queue.Add(k.object)
		}
	}
}

func (o *Objects) add(key store.Key, uid uuid.UUID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.known[key]
	if k == nil {
		if o.known == nil {
			o.known = map[store.Key]*known{}
		}
		k = &known{object: &Object{Key: key}}
		o.known[key] = k
	}
	k.uid = uid
	o.Queue.Add(k.object)
}

// Forget is called by the reconcile that finds that the object is gone.
func (o *Objects) Forget(object *Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k := o.known[object.Key]; k != nil && k.object == object {
		delete(o.known, object.Key)
	}
	o.Queue.Forget(object)
}
