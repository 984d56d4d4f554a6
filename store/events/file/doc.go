// Package file keeps events in segments of lines.
//
// # Format
//
// Segments DIR/<first>.jsonl; one line of JSON an event. Lines are appended, and those of a
// deleted job are overwritten with blanks, in place:
//
//	00000000000000000001.jsonl     events 1 … 3
//	00000000000000000004.jsonl     events 4 …    ← written to
//
//	{"time":"2026-11-23T09:39:49.123456Z","workspace":"acme","job":"a","uid":"…",
//	 "attempt":"…","type":"Normal","reason":"Started","message":"attempt 1 …"}
//
// An event's number is its segment's first number plus the lines before it, so that a
// damaged line costs one event and no number. Segments are rolled by size; the oldest
// go when all together would exceed Options.MaxBytes.
//
// # Who waits for whom
//
// Append encodes the event into a buffer in memory and returns; one goroutine writes
// what has come together with one write(2), then rests for a millisecond. A write(2) of
// its own would cost a transition little more while the disk is idle (1 µs against 0.4),
// but now and then some milliseconds while the store syncs its journal beside it, and
// without bound when the kernel throttles writers; what the store acknowledges never
// waits for that. The price: kill -9 of the server loses the events of its last moment,
// those that Append has taken and the goroutine not yet written: about a millisecond of
// them. What anybody has read was written. The job objects never depend on an event.
// Nothing is fsynced: a crash of the machine may lose the last seconds of events. What
// does not fit into the buffer (the disk hangs) or cannot be written (it is full) is
// dropped, counted and logged once.
//
// # Reading
//
// For each event 16 bytes are kept in memory: hashes of workspace, job and uid, and
// where its line begins. The events of one job are found without reading any others'
// line; the hashes of a segment that an earlier server wrote are made when the segment
// is first read. Reads return the PerJob newest events of each job and pass over the
// rest. Repeated events of a job in a row are one with a Count.
//
// # Invariants
//
//  1. Append never waits for a file. Reads see what Append has taken before, and what
//     they have returned survives kill -9.
//  2. Numbers rise strictly, over restarts too, and a follower sees each event once.
//  3. A torn last line is cut at Open. Any other line that is no event is passed over
//     and counted; nothing in a segment keeps the archive from opening.
//  4. The files together never exceed MaxBytes.
//  5. Every event stays on one line of at most maxLine bytes, whatever its text.
package file
