// Package mcp carries out jobs of type build: each attempt is one call of one tool of one
// MCP server. Servers are defined in the operator's file (package config), never by a job.
//
// # Rooms
//
//	attempt ──► servers ──► pool, session ──► wire ──► the SDK, the server
//	   │                        ├── program, container   a server that is a program
//	   │                        ├── endpoint, oauth      a server behind a URL
//	   │                        ├── catalog, schema      its tools, the check of arguments
//	   │                        └── questions            the answers to its questions
//	   ├──► tasks     calls that outlive their request
//	   ├──► memory    files that outlive the worker
//	   └──► outcome   what an answer or a failure means for the job (answer, display)
//
// The doc.go of each room carries the room's design. This package keeps the attempt, its
// recovery and the plan.
//
// # An attempt
//
//	connect   a session with the server, which offers the tool     (attempt.go)
//	prepare   the arguments fit; the mark "not called" is removed
//	call      tools/call, or a task                                 (call.go, call_task.go)
//	          answered, stopped, called again once, or failed
//
// # Rules
//
//  1. A progress token is sent with each call; the server's progress is the job's pct and
//     step. A call has no time limit but the job's own and the server's timeout in the
//     operator's file.
//  2. Arguments are checked against the tool's input schema before the call. All violations
//     are told at once, each with the job's field (package catalog).
//  3. A tool that has answered is not called again. An answer that cannot be used at all
//     fails the job, and no retry follows, whatever backoffLimit and failurePolicy say
//     (action.Outcome.Answered).
//  4. A call is made again, once and in a new session, only if the tool was not called: the
//     server says that it does not know the session any more, or its program ended before it
//     had read the call to the end.
//  5. A canceled call sends notifications/cancelled, which a server may ignore
//     (specification, "Cancellation"). So the session is closed too. A program's process
//     group is gone before Run returns, and its container is removed: that is the proof. Of
//     other commands that are clients only, ssh and docker exec among them, the message says
//     that no more is known than the end of the client. Over HTTP there is no proof: the
//     cancellation is delivered, then the session is ended, each within a bounded time, and
//     the message says what the server has confirmed. A task is canceled by tasks/cancel,
//     whose answer is the server's word for the end of the task.
//  6. isError is the tool's own failure, in the tool's own words, and is retried as the job
//     says. The message of any other failure names the server, the tool, and the last lines
//     that the server wrote to stderr.
//  7. An HTTP error in place of an answer is retried as the job says, too. After a 5xx nobody
//     can tell whether the tool was carried out, and the message says so. Without
//     backoffLimit, the default, there is no second call; failurePolicy can tell a 503 from a
//     500 (httpStatus). A refusal of every retry would keep jobs that may be repeated from
//     outliving a proxy that restarts.
//
// # After a crash
//
// Recover leaves a task that goes on to the next attempt, which continues the task in the
// session that began it instead of calling the tool again. A task that no attempt will take
// over is canceled. Of an attempt with the mark "not called" the tool was not called. Of any
// other attempt nobody can tell what the tool came to: the tool's annotations say whether it
// may be called again.
//
// # Plans
//
// A plan does what an attempt does up to the call. Where the operator's file names a preview
// for the tool, "plan": {"apply_builder": "preview_apply"} beside a server's command or url,
// the preview is called with the same arguments, but only if the server marks it
// readOnlyHint. The structured answer of a preview may have
//
//	changes   [{verb, kind, name, detail}], as v1.PlanChange
//	files     [{path, status, bytes}]: created, unchanged, deleted; anything else is a change
//	problems  [text]: faults that the tool itself would fail for
//
// and isError of a preview is a problem of the job.
package mcp
