// Package controller drives every Job from Queued to a terminal phase.
//
//	store ──watch──► intake ──► schedule (who runs next) ──grant──┐
//	                   │                                          ▼
//	                   └──────────────► queue of uids ──► N reconcilers
//	                                        ▲               │ read → lifecycle.Next
//	       outcome, progress, timer ────────┤               │ → one status write → act
//	                                        │               ▼
//	                                        └───────── attempts (action.Runner)
//
// # Invariants
//
//  1. Level-triggered: a reconcile reads the object and what is observed of it and
//     decides from those alone. Losing, doubling or delaying an event changes when
//     something happens, never what.
//  2. One reconcile of a job at a time, and only reconciles write its status; so a
//     conflict is always somebody else's write, and is answered by reading again.
//  3. An attempt is on disk before its side effect starts. An attempt in the store
//     that this worker does not hold is recovered before its job does anything else.
//  4. A slot is held from the grant until the attempt's outcome is on disk, so never
//     more than MaxConcurrent attempts run.
//  5. Nothing polls: the controller sleeps until a change, an outcome, a report or a
//     timer that is due.
//  6. What cannot be written (a full or failed store) is kept and tried again with
//     back-off; an outcome is never dropped while the process lives.
//
// # What dies when
//
//	before the attempt is written        → Queued, runs at the next start
//	after that, before the side effect   → recovered as an interruption
//	while the action runs                → what is left of it is ended, interruption
//	after it ended, before it is written → interruption: the action runs again; this
//	                                       is why the guarantee is "at least once"
//	after the outcome is written         → terminal; nothing happens
//
// Nothing here assumes that store and worker share a process: the Store interface
// asks only for what a remote client can offer.
package controller
