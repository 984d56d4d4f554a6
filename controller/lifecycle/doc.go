// Package lifecycle is the state machine of a Job: what its status becomes and
// what its worker does next, decided from values alone. It reads no clock, holds no
// state and calls nothing that blocks, so that every rule stands in a table.
//
//	             ┌───────────── Lost, Stopped: interruption ──────────────┐
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
//  1. A terminal job is left alone.
//  2. Cancel beats every other wish: a queued job ends at once, a running one is
//     stopped first. An outcome that arrives after the cancel does not change the
//     phase; the message says what it was.
//  3. Success beats every limit: an attempt that succeeded has succeeded, even if a
//     deadline passed meanwhile.
//  4. activeDeadlineSeconds counts from the first start over all attempts and beats
//     the limits on attempts.
//  5. An attempt without an outcome (Lost, Stopped without one of the causes above)
//     is an interruption: it does not count as a failure, and the job is queued
//     again at most v1.MaxInterruptions times.
//  6. A tracking record has no side effect and needs no slot: it goes from Queued to
//     Succeeded in one write.
//  7. An attempt is written down (id, worker) before its side effect starts; so an
//     attempt in the status that no worker holds is one whose worker died, and it is
//     recovered before anything else happens to the job.
//
// Whoever calls Next may do so at any time, any number of times, with events lost or
// doubled: the decision depends on what is, not on what happened.
package lifecycle
