// Package repair brings a project out of what docker compose leaves when it is cut off while it
// recreates a container. That is one of
//
//	old runs,    new was made under a temporary name  ── perhaps the old one was asked to stop
//	old has ended, new was made                        ── nobody starts either: the service is down
//	old is gone, new was made, perhaps not renamed     ── the same
//	old has ended (its network was to be made anew)    ── the same
//
// and a service that had a good version is down, now or when the old container has drained.
//
// # Rules
//
//  1. What stands before is on disk before docker compose starts (Begin), so that whoever
//     comes next can repair: the attempt itself after a cancel, a limit or a lost engine, the
//     recovery after the server has died, or the next attempt over the project.
//  2. The repair comes before anything else: before a rollback and before another docker compose.
//  3. A service that ran before runs afterwards: in its old container where that is still
//     there, in the new one otherwise. An old container beside its successor may have been
//     asked to stop, which no engine tells: its stop is brought to its end, and it is started
//     again.
//  4. Containers that somebody else made since are not touched.
//  5. A second repair does no harm. Its record goes when nothing is left to do.
package repair
