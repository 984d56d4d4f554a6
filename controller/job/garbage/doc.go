// Package garbage removes data that deleted jobs leave outside the store: logs, events, and what a
// Runner keeps from one attempt to the next.
//
//	dispatch ── Deleted, Missed ──► queue ──► Reconcile ──► store: is the job there?
//	                                                           │ no
//	                                                           ▼
//	                                              action.Keeper.Forget
//
// # Invariants
//
//  1. Level-triggered: what is kept of a job is removed because the store does not have the
//     job, and never because an event said so. A sweep asks of everything that is kept; it
//     runs at the start and whenever deletions may have been missed.
//  2. A delete does not wait for it.
//  3. The queue is bounded: beyond maxWaiting deletions a sweep takes their place.
//  4. An error leaves everything to a sweep, which is tried again with back-off.
package garbage
