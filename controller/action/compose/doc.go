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
//     may write files below a root may deploy what they say.
//
//  3. up, start and restart are judged by what the engine says of each container, not by
//     compose's exit code (verdict.go, a function of values): running and healthy, or
//     stable where there is no health check; a one-shot that has ended with 0 is done; a
//     crash loop, a failing check, another exit code end the deploy at once. The engine's
//     events wake the look, every lookAgain it looks anyway. health.probe is asked last.
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
// # Revisions and rollback
//
//		up ──► compose up ─────────► good? ── yes ─► keep: rendered file + images that ran
//		   └─► compose config (what     │             (nothing new: the last one stays)
//		       it asks for, at the      no
//		       same moment)             └─ OnFailure ─► what differs from the last revision
//		                                                is made as it was, within a limit
//
//	 7. A revision is the project as it runs: what the deploy covered as rendered, each
//	    service pinned to the ID of the image that its containers run, and what it did not
//	    cover as in the revision before. Tags may move; the ID is held by a tag of ours
//	    (jobwright-kept) from being pruned, and pulled by digest when it is gone all the same.
//	 8. A rollback compares first, by configuration hash, image, number and state of the
//	    containers, and touches only services that differ: a database that the failed
//	    deploy left alone is not restarted. Services that only the failed deploy had are
//	    removed, as long as they were made since the job started; networks and volumes are
//	    left. When nothing differs nothing was rolled back, and the reason stays the
//	    failure's own.
//	 9. It goes back to the newest revision of the project, whoever deployed it: the engine
//	    knows one project. Whose it was and what is in it is told to its workspace only.
//	 10. A crash in the middle leaves a mix for as long as the server is down: the next
//	    attempt deploys again and, when that fails again, rolls back again.
//	 11. A deploy that is stopped (canceled, out of time, the server shutting down) is
//	    rolled back too, without waiting for health, within stopRollbackTime: half a
//	    deploy is what nobody asked for. A rollback that is under way gets the grace
//	    period to end.
//
// Why images by ID and not a registry's digest: images that were built here, and those of
// hosts without a registry, have none. Why not the engine's own tags: they move.
//
// # Secrets
//
//  12. A value reaches compose by its environment only, and is hidden in everything that
//     leaves the Runner: lines (before they are split), progress, results, messages, plans.
//     All of the server's secrets are, not only the job's.
//  13. A revision has references. While compose renders the file for it, marks stand for
//     the values, so that none has to be found and cut out afterwards; verb config gets
//     *** for each.
package compose
