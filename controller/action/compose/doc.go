// Package compose carries out jobs of type deploy: one run of docker compose.
//
// # Rules
//
//  1. The command line is built from tables: verbs, and for each verb its flags with
//     what value they take (flags.go). What is not in them is refused before anything
//     is started. Services and profiles cannot be read as flags. No shell.
//
//  2. Compose files are read only below the operator's roots, after symbolic links
//     were resolved on both sides. What a compose file itself refers to (include,
//     extends, env_file, build contexts, bind mounts) is compose's business: whoever
//     may write files below a root may deploy what they say. What a job's env makes of
//     such a path lies below the root too (referred.go).
//
//  3. up, start and restart are judged by what the engine says of each container, not by
//     compose's exit code: package health, the one judge of "up" for the attempt, the recovery
//     after a crash and the rollback. The engine's events wake the judge. health.probe is
//     asked last.
//
//  4. Output goes to the log line by line while compose runs; its --progress=json
//     stream becomes readable lines, pct (the share of the things compose names that
//     are done) and step.
//
//  5. A canceled deploy leaves no container in between (cancel.go): the project is as it
//     was before or as asked, service by service, and the message says which.
//
//  6. Each stage has a limit that progress resets (limits.go): a slow pull is no failure,
//     one that gets nowhere is. The message has the cause first, whose service it is, the
//     limit with its value, and the end of that container's own log.
//
//     reading ──► compose up ─ pull ─ build ─ start ─ (waits for dependencies) ──► health ──► probe ──► Succeeded
//     │            │ a stage gets nowhere: StageTimeout                            │ verdict: failed
//     └ InvalidComposeFile …                                                        └ Unhealthy, CrashLoop, ContainerFailed
//
// # Rooms
//
// Package engine runs docker and knows containers, package health judges them, package
// revisions keeps what was good, package rollback makes a project what a revision says. This
// package makes attempts, plans and recoveries of them. docker compose config runs once an
// attempt (render.go); the verdict, the plan and the revision read the same rendering.
//
// # Revisions and rollback
//
//		up ──► config ──► compose up ──► good? ── yes ─► keep: the rendering + the images that ran
//		                                   │              (nothing new: the last one stays)
//		                                   no
//		                                   └─ OnFailure ─► what differs from the last revision
//		                                                   is made as it was, within a limit
//
//	 7. A rollback goes back to the newest revision of the project, whoever deployed it: the
//	    engine knows one project. Whose it was and what is in it is told to its workspace only.
//	 8. A rollback is on disk before it begins (revisions.Undoing). After a crash in the middle
//	    the project is a mix for as long as the server is down: the recovery brings the rollback
//	    to its end. What was judged bad is not deployed again.
//	 9. A deploy that is stopped (canceled, out of time, the server shutting down) is rolled
//	    back too, without waiting for health, within stopRollbackTime: half a deploy is what
//	    nobody asked for. A rollback that is under way gets the grace period to end, and is then
//	    carried out in the same way.
//	 10. When nothing differs from the revision nothing was rolled back, and the reason stays
//	    the failure's own.
//
// # Secrets
//
//  11. A value reaches compose by its environment only, and is hidden in everything that
//     leaves the Runner: lines (before they are split), progress, results, messages, plans.
//     All of the server's secrets are, not only the job's.
//  12. A revision has references. While compose renders the file for it, marks stand for
//     the values, so that none has to be found and cut out afterwards; verb config gets
//     *** for each.
//  13. Values in .env and in env_files are hidden like secrets (private.go) when their
//     variables are called like secrets, or when only the files' owner may read them.
package compose
