// Package logs is the archive of what jobs print. It lives apart from the job
// objects, so that a job's output survives its attempt, its timeout and its
// cancellation, and so that a chatty job never makes an object large.
//
// # Format
//
// One file a job, DIR/<workspace>/<job>-<uid>.log, only ever appended to; one line an
// entry, and every entry is complete in itself:
//
//	2026-11-23T09:39:49.123456Z stdout Container x-web-1  Started\n
//	└── UTC, microseconds ────┘ └ stream └ text: UTF-8, no line end, ≤ action.MaxLine
//
// An entry is written with one write(2), before the Writer returns: what a follower
// has seen survives kill -9 of the server. It is not fsynced; a crash of the machine
// may lose the last seconds of output, never an object.
//
// # Invariants
//
//  1. An offset is the byte position after an entry; reading from it continues
//     exactly there. A torn last line (the machine crashed) is never returned and
//     is ended by the next write.
//  2. A file never exceeds MaxBytes by more than the one line that says so: later
//     output of the attempt is counted and dropped, and the attempt's last entry
//     says how much.
//  3. Followers sleep until a Writer of the same Archive has written; nothing polls.
//  4. Workspace and job name a path only after they were checked to be single
//     path elements; the archive never leaves DIR (os.Root).
package logs
