// Package job drives every Job from Queued to a terminal phase.
//
//	             dispatch                              work
//	store ──► intake ─► Reconcile ──► schedule     execution ◄── action.Runner
//	                        ▲            │             │  outcome, progress, timer
//	                        └── grant ◄──┘             ▼
//	              start is written ── Begin ──►   Reconcile ──► status write
//	                        ◄───────────────── Returned ──┘
//
// The dispatcher decides who runs next, the worker carries attempts out; each writes the
// status of the jobs that are its own (package dispatch says which). They share no lock and
// tell each other of jobs, so that one day they may stand in two processes. Both decide
// with package lifecycle and write through package status.
//
// # Invariants
//
//  1. Level-triggered: a reconcile reads the object and what is observed of it and
//     decides from those alone. Losing, doubling or delaying an event changes when
//     something happens, never what. What runs is kept decoded; where the store has a
//     later version all the same, nothing that was decided can be written.
//  2. One reconcile of a job at a time on each side, and a job is one side's at a time; only
//     reconciles write its status. So a conflict is always somebody else's write, and is
//     answered by reading again.
//  3. An attempt is on disk before its side effect starts. An attempt in the store
//     that this worker does not hold is recovered before its job does anything else.
//  4. A slot is held from the grant until the attempt's outcome is on disk, so never
//     more than MaxConcurrent attempts run. Limits are counted from attempts that are
//     live, never from a stored flag; those that the store shows at the start are counted
//     before the first slot is granted, and those of other workers as soon as an event
//     shows them. Two workers that find a key free at the same moment are not kept apart:
//     one dispatcher grants.
//  5. Nothing polls: the controller sleeps until a change, an outcome, a report or a
//     timer that is due; while a job waits for a moment, for a minute at most, since a
//     timer knows nothing of a clock that is set (dispatch/clock.go).
//  6. What cannot be written (a full or failed store) is kept and tried again with
//     back-off; an outcome is never dropped while the process lives, and from the first
//     failure on stands in a spool on this machine for the next start. A write of which the
//     answer was lost is looked for in the store before anything else is decided, so
//     that an outcome is not told twice and an attempt that has not begun not recovered.
//  7. An attempt is a lease: id and worker are its token, and it expires unless its
//     worker renews it (a soft write each third of it). Every status write carries the
//     version that was read, so a worker whose attempt was taken over, or whose job was
//     finished by force, can no longer write the outcome; what it found becomes
//     status.lateResult. Another worker takes over after missed renewals, never for the
//     age of an attempt; taking over is written down before anything is recovered. A
//     worker that slept past its lease continues if no other has taken over: its
//     resourceVersion is still current, so its next write succeeds.
//  8. A job that ends wakes those that depend on it, and a job that is looked at reads
//     its dependencies from the store: a lost wake-up costs time only until the next
//     event, list or timer of the job.
//  9. What a deleted job leaves beside its object (its log, what a Runner remembers) is
//     removed once its attempt has ended, and at the next start where no controller saw
//     the deletion: package garbage asks the store, whatever events have told.
//
// # What dies when
//
//	before the attempt is written        → Queued, runs at the next start
//	after that, before the side effect   → recovered as an interruption
//	while the action runs                → what is left of it is ended, interruption
//	after it ended, before it is written → interruption; where the store could not take
//	                                       it, what was spooled is told at the next start
//	an interruption                      → the action runs again where that does no harm
//	                                       or the job says so (at least once), and the
//	                                       job fails otherwise (spec.onInterruption)
//	after the outcome is written         → terminal; nothing happens
//
// Nothing here assumes that store and worker share a process: the Store interface
// asks only for what a remote client can offer.
package job
