// Package program runs the program of a stdio server for one session: its process, its
// pipes and, where the command is docker run or podman run, its container.
//
// # Invariants
//
//  1. A program has an identity of its own in its environment (package process). What it
//     starts is found by that identity and ends with the session, even in another process
//     group.
//  2. Nothing of the program, nor of its container, is left when Stop returns without an
//     error.
//  3. UnreadCall is true only for a call that the program cannot have read: the program has
//     ended, and the pipe still held a byte of the call.
//  4. A line of stderr belongs to the epoch in which the program began to write it. Mark
//     begins an epoch: what was written before is told from what is written after, although
//     both may be read later.
package program
