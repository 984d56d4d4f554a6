// Package process runs the programs that actions need, so that they can be stopped
// and found again.
//
// # Invariants
//
//  1. A program runs in a process group of its own; signals go to the whole group.
//
//  2. Its environment is what an allow-list lets through, what the caller adds, and
//     its identity: JOBWRIGHT_WORKER and, where it belongs to one attempt,
//     JOBWRIGHT_ATTEMPT. Children inherit it, whatever group or parent they move to.
//
//  3. Stop asks (SIGTERM), waits, kills (SIGKILL), and then looks for what carries the
//     identity until nothing does: that is the proof that nothing is left.
//
//  4. Reap ends what a dead server left behind. It recognises a process by the exact
//     identity in its environment, never by its pid, so it cannot hit a stranger that
//     was given the number since.
//
//  5. What has given up group and identity (setsid, env -i) is ended all the same: what a
//     program has started is noted before it is asked to end, and orphans are adopted
//     (AdoptOrphans), so that they are seen when their parents have ended. An orphan that
//     two programs may have left is not killed before it can be but one's; until then the
//     error of Stop and Kill names it. After a crash such a process is not found again: a
//     service manager that ends the whole control group does that.
//
// No shell stands in between: a program is started from its path and its arguments.
//
// Identity, parents and orphans are read from /proc, which only Linux has; elsewhere proof
// and Reap reach as far as the process group of a living parent does.
package process
