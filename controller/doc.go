// Package controller runs controllers over a store. It knows no kind of object.
//
//	store ──list, watch──► Source ──changes──► Handler ──Add──► Queue
//	                                                              │
//	                    Result, error, TerminalError ◄── Reconciler ◄── workers
//
// A controller is a Reconciler with a name, a typed Queue and the Sources that it follows.
// The Manager runs all of them over one Store. What a controller of a further kind needs is
// a package of its own below this one and one Add.
//
// # Invariants
//
//  1. A Source delivers every object that its list selects and every later change of its
//     kind, in order, for as long as its context lasts. A list or a watch that fails is
//     begun again, with back-off; only a closed store ends it, and with it Run.
//  2. A change may be delivered twice, never left out: handlers and reconcilers are
//     level-triggered.
//  3. An item is reconciled by one worker at a time. An item that is added during its
//     reconcile is reconciled once more.
//  4. A reconcile that fails is tried again with back-off, unless the error is terminal:
//     then the item waits for the next change of its object.
//  5. Shutdown is ordered: the sources end; the controllers drain, the last one first,
//     while all of them go on reconciling; the queues are closed. A reconcile is never
//     canceled: a write that has begun must finish.
package controller
