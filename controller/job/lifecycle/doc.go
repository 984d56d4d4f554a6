// Package lifecycle is the state machine of a Job. It decides the next status and the next
// action of dispatcher or worker, from values alone. It reads no clock, holds no
// state and calls nothing that blocks, so that every rule stands in a table.
//
//	             ┌── interruption, retry, suspension ─────────────────────┐
//	             ▼                                                        │
//	┌────────────────────┐  granted a slot: Start  ┌────────────────────┐ │
//	│       Queued       │────────────────────────►│      Running       │─┘
//	│ no currentAttempt  │                         │   currentAttempt   │
//	└─────────┬──────────┘                         └─────────┬──────────┘
//	          │ cancel, deadline,                            │ outcome, cancel,
//	          │ a record                                     │ deadline
//	          ▼                                              ▼
//	┌───────────────────────────────────────────────────────────────────┐
//	│                Succeeded │ Failed │ Canceled   (absorbing)        │
//	└───────────────────────────────────────────────────────────────────┘
//
// # Rules, in the order in which they are asked
//
//  1. A terminal job is left alone; only what another attempt came to is added to it,
//     as late result (WithLate). A terminal job that is to run again (v1.Job.Finished says no) is
//     taken as v1.Rerun leaves it: queued. Most stores apply that in the write that
//     asks for it; then the machine never sees such a job.
//
//  2. forceFinish ends a job at once, whoever holds it.
//
//  3. Cancel beats every other wish: a queued job ends at once, a running one is
//     stopped first. An outcome that arrives after the cancel does not change the
//     phase; the message says what it was.
//
//  4. Success beats every limit: an attempt that succeeded has succeeded, even if a
//     deadline passed or a newer job replaced it meanwhile.
//
//  5. A queued job, in this order: replaced by a newer one of its key; a dependency
//     that can never be met; suspended; queued for too long (startDeadlineSeconds, or
//     DependencyWait for a dependency that never was); active for too long; skipped.
//     Then it is Ready: its turn, its time and limits are the schedule's.
//
//  6. A running job is stopped, in this order, for cancel, replacement, suspension,
//     activeDeadlineSeconds (from the first start over all attempts),
//     attemptTimeoutSeconds, idleTimeoutSeconds, shutdown. The first cause sticks, with
//     its words; how the attempt ends is judged by it.
//
//  7. A failure is judged by the first rule of failurePolicy that matches, and otherwise
//     counts towards backoffLimit. The next attempt starts after a back-off with full
//     jitter, and not before what the other side asked for. An action that was carried out
//     and whose answer cannot be used (Outcome.Answered) is not attempted again.
//
//  8. An attempt without an outcome (Lost, Stopped without one of the causes above) is
//     an interruption: it does not count as a failure. The job is queued again, at most
//     v1.MaxInterruptions times, where running the action again does no harm or
//     onInterruption is Rerun; otherwise it fails.
//
//  9. A suspended attempt counts as nothing, and both activeDeadlineSeconds and
//     startDeadlineSeconds start anew with the resumption; also when the suspension was
//     taken back before the attempt had stopped.
//
//  10. A tracking record has no side effect and needs no slot: it goes from Queued to
//     Succeeded in one write.
//
//  11. An attempt is written down (id, worker, lease) before its side effect starts; so
//     an attempt in the status that no worker holds is one whose worker died. The
//     worker's own is recovered at once, another's when its lease has expired, and
//     taking it over is written down first.
//
//  12. All times are wall-clock times. When the clock is set back, deadlines may be late,
//     never early, and late by at most their own length (clock.go); a lease is renewed at
//     once, and completionTime is not before startTime. startAfter, which its author wrote
//     as a moment, comes when the clock says so. When the clock is set forward, limits
//     that it has jumped over have passed.
//
// NextQueued and NextHeld may be called at any time and any number of times, with events
// lost or doubled: a decision depends on the present state, never on what happened before.
package lifecycle
