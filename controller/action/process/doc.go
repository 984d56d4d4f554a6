// Package process runs the programs that actions need, so that they can be stopped
// and found again.
//
// # Invariants
//
//  1. A program runs in a process group of its own; signals go to the whole group.
//  2. Its environment is what an allow-list lets through, what the caller adds, and
//     its identity: JOBWRIGHT_WORKER and, where it belongs to one attempt,
//     JOBWRIGHT_ATTEMPT. Children inherit it, whatever group or parent they move to.
//  3. Stop asks (SIGTERM), waits, kills (SIGKILL), and then looks for what carries the
//     identity until nothing does: that is the proof that nothing is left.
//  4. Reap ends what a dead server left behind. It recognises a process by the exact
//     identity in its environment, never by its pid, so it cannot hit a stranger that
//     was given the number since.
//
// No shell stands in between: a program is started from its path and its arguments.
//
// Identity is read from /proc, which only Linux has; elsewhere proof and Reap reach as
// far as the process group of a living parent does.
package process
