// Package file keeps the logs of jobs in files.
//
// # Format
//
// One file a job, DIR/<workspace>/<job>-<uid>.log, only ever appended to; one line an
// entry, and every entry is complete in itself:
//
//	2026-11-23T09:39:49.123456Z stdout Container x-web-1  Started\n
//	└── UTC, microseconds ────┘ └ stream └ text: UTF-8, no line end, ≤ logs.MaxLine
//
// An entry is written with one write(2), before Line returns: what a follower has seen
// survives kill -9 of the server. It is not fsynced; a crash of the machine may lose the
// last seconds of output, never an object.
//
// # Invariants
//
//  1. An offset is the byte position after an entry; reading from it continues
//     exactly there. A torn last line (the machine crashed) is never returned and
//     is ended by the next write.
//  2. A file never exceeds the bound by more than the one line that says so: later
//     output of the attempt is counted and dropped, and the attempt's last entry
//     says how much.
//  3. Followers sleep until a writer of the same Archive has written; nothing polls.
//  4. A workspace's folder goes with its last log.
//  5. Workspace and job name a path only after they were checked to be single
//     path elements; the archive never leaves DIR (os.Root).
package file
