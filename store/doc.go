// Package store is the contract between Jobwright and the engines that keep its objects.
// It does no I/O itself; engines stand in packages of their own (store/file is
// the default) and prove themselves with store/storetest.
//
// # Semantics
//
// They are those of the Kubernetes API, so that a job, a client and a controller
// mean the same thing on every engine:
//
//  1. A counter, resourceVersion, numbers every change of a kind. It rises with each
//     acknowledged write and is never used twice, not even across a crash in which
//     soft writes were lost. An engine may have one counter for all kinds or one for
//     each: versions of two kinds are never compared.
//  2. Optimistic concurrency: Update and UpdateStatus carry the resourceVersion
//     that was read and answer ErrConflict when the object has changed since.
//  3. Update stores spec and the author's metadata and keeps the stored status;
//     UpdateStatus stores the status and keeps everything else. generation rises
//     with spec changes alone. A write that changes nothing is no write: the
//     record comes back as it is, with its old resourceVersion. Raising spec.reruns
//     of a finished Job asks for another run (v1.Rerun): engines with
//     Features.AtomicRerun start it in that write, so that nobody reads the old
//     outcome beside the new wish; with others the job's reconciler does, and until
//     then v1.Job.Finished says no, though the phase is terminal.
//  4. uid, creationTimestamp and generation are set by Create. Objects are ordered by
//     SubmittedAt, then by uid, which where it is a UUID of version 7 come to the
//     same. Features.GivenIdentity: a uid and a creationTimestamp that are set already
//     are kept.
//  5. Delete removes an object at once unless it has finalizers; then it sets
//     deletionTimestamp, and the Update that empties the finalizers removes it.
//  6. A durable write is acknowledged after it is on disk. A reader may see a
//     write only when a crash can no longer take it back, soft writes excepted.
//  7. Create of several objects is atomic, all of them or none, or refused
//     (Features.AtomicCreate).
//  8. A watch from version V delivers every later change of what it selects
//     exactly once, in order of resourceVersion, without gaps; where the engine
//     no longer knows V it answers ErrExpired and the reader lists anew. Progress
//     tells how far the watch has come, where nothing it selects has changed too.
//  9. Nothing that is handed out is shared and mutable: a Record is an immutable
//     encoding that readers decode into objects of their own. What is handed in
//     is only read, and may be changed by its owner once the call has returned.
//
// An engine declares which of these it lacks (Features); the suite asks no more.
//
// # Why records and not typed objects
//
// A write is encoded once, and the same bytes go to the journal, to jobs.json, to
// every watcher and into the HTTP reply. A typed object costs three to ten times
// the memory of its encoding and would have to be copied deeply for every reader.
package store
