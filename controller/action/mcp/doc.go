// Package mcp carries out jobs of type build: one call of one tool of one MCP server.
//
// Servers come from the operator's file in the mcpServers format that MCP clients
// share (package config), never from a job.
//
// # Sessions
//
// Sessions are kept warm in a pool for each server (package sessions decides who gets
// which). A session serves one workspace, because a server keeps state: a browser's page, a
// working directory, a login. Only where the operator's file says "shared": true do all
// workspaces use the same ones; that is for servers that keep nothing between two calls.
// What a server keeps outside of its sessions, in files or behind an address, is the
// same for all workspaces: the operator gives each its own, or does not offer the server.
//
// A program runs once for each workspace that uses it, with one call at a time: two
// processes that write one file lose what the other wrote. "sessions" in the operator's
// file allows more; --mcp-sessions is for servers behind HTTP and shared ones. All programs
// together are at most --mcp-max-processes; idle ones are ended for those that are needed.
//
// A job may name its session (spec.build.session). Jobs of a workspace with the same name get
// the same session, one after another in submit order; it is beside those without a name,
// unless the operator has set "sessions", and ends for no other: only when it was idle for
// IdleTime, when it breaks, or when a call in it is canceled. The log says which session a
// job got, because one that has ended has lost what was in it.
//
// Jobs wait for a session in the controller's queue (key.go). One that has a slot, and whose
// session takes its time to come, lets other jobs have the slot meanwhile (turn.go).
//
// A session serves one call at a time, so that progress, log lines and a cancel belong
// to exactly one attempt. A session that broke, or whose call was canceled, is not used
// again.
//
//	idle ──take──► calling ──the tool answered──► idle ──IdleTime, Reload, room──► closed
//	 │                │
//	 │                └──canceled, broken──► closed: stdin closed, SIGTERM, SIGKILL
//	 └──died, no sign of life──► closed
//
// The end of an idle session is seen at once. One that was idle for a while
// is asked for a sign of life before it is used (health.go). Reload takes over another
// configuration: pools of servers that changed are closed, what waits for a session of
// theirs goes to the new one, calls under way end where they are (reload.go). Servers
// share nothing: a broken one holds up its own callers alone.
//
// What a server writes to stderr before its answer belongs to the call; what it writes between
// two calls goes to Jobwright's own log, even if it is read only when the next call is under way
// (program.Mark). A session that has written so late is given to the next call when it has been
// silent for a while; in the first second after a call of another workspace, what a shared
// server writes goes to Jobwright's own log too (session/words.go). What a server writes of an
// earlier call in the middle of the next one of the same workspace cannot be told from that
// one's.
//
// # Servers that break the rules
//
// What servers write wrongly is read before the SDK sees it, by one layer for stdio and HTTP
// (package wire: ids, framing, encodings, statuses, limits), and a tool's answer is read as it
// was written (package answer). What is wrong with either is said in the job's log, and in its
// message where it changes what the answer says. What a server writes on stdout that is no
// message is its words, as stderr is: package managers greet there, and loggers write JSON
// there. A request that cannot be answered any more ends within seconds: when an answer came
// that belongs to nobody, a message has more than 16 MiB, a pipe closes, a process ends
// (broken.go). No request waits for longer than its context: neither for a server that does
// not read, nor for one that is gone while its children hold its stdout (health.go).
//
// What a server behind HTTP answers instead of a message is the job's message: the status, the
// first 500 bytes of the body, and what to do. Failure rules may name the status (httpStatus),
// and a retry waits for Retry-After. A server that does not know the session any more was not
// asked to do anything: the call is made again in a new session, once.
//
// A server has startTimeoutSeconds of the operator's file to start and introduce itself, ten
// minutes for a program unless it says otherwise, two for a url. Meanwhile the step of the
// job shows the server's last line. Programs that end at the first question of today's
// protocol, or have read it and then say nothing for a minute, are started once more and
// spoken to as in the one before (connect.go). A program that has not read the question yet,
// has answered it, or tells what it does, is starting, and is not started again (start.go).
//
// A program that ends while it is idle, or as soon as it has answered, may be given a call that
// it never reads. Then the tool was not called, and is called in a new session, once
// (unsent.go). A call that was read, or may have been, is never made again.
//
// # Tasks
//
// A tool that says so is called as a task (protocol 2025-11-25; task.go): always where it
// must be, and over HTTP also where it can be, because there the task outlives this
// worker. Such a task is written down before it is waited for (remember.go). After a
// crash, Recover leaves it at work and says that the attempt may be repeated; the next
// attempt goes on with the task, in the session that it was begun in (adopt.go), instead
// of calling the tool again (durable.go). A task that no attempt will take over is
// canceled. The SDK knows no tasks: they are sent as methods of our own, which get their real names on
// the wire (wire.OwnPrefix).
// The tasks of protocol 2026-07-28 are not spoken: they are for clients that declare the
// extension io.modelcontextprotocol/tasks, and other clients get their answer when it is
// there.
//
// # The operator's file
//
// Package config says which keys a server may have, and which of them only Jobwright
// knows. A server that cannot be used is in the file without being used: jobs for it fail
// with ServerUnavailable and what is wrong, and it is Broken in Servers and in the metric
// jobwright_mcp_server_broken. Headers, arguments, environment and the query of a url are
// in no message and no answer of the API; headers go to the host of the server's url
// alone, and redirects to another one are refused. What a server itself says, in words or
// in a failure, has *** in place of its headers, what its url asks with, its OAuth secrets,
// the variables of env whose names tell that they hold a secret, and the values of ${NAME} with
// such a name (config.Secrets). The answer of a tool has *** in place of the credentials among
// them that have at least eight bytes (config.Credentials): a shorter one, or a language in a
// header, is a word that results have by chance. A job's own words are never masked for it, and
// no part of a value is, so that a mask does not tell which guess was right (secrets.Guarded).
// A tool that makes text of its arguments can still be made to say guesses of whole values: what
// can be guessed is no secret.
//
// Where the file has oauth for a server, its requests carry a token that package oauth
// gets, one for all workspaces. Tokens are kept in memory, and with Options.Tokens that have a
// Keeper in a folder too, encrypted with the operator's key.
//
// # What a server asks
//
// Jobwright declares that questions may be asked (elicitation) only where the operator
// allows it, because servers that may ask do not go on by themselves; roots only where the
// operator names some; and no sampling. A server that asks, by a request or since 2026-07-28 by a result that wants
// input, is answered at once: roots with the operator's (policy.go), a question from
// spec.build.answers, or the defaults of its schema where the operator allows it, and
// else with decline (question.go), sampling with an error. The job's log says so, and its
// message names the answers of the job that did not fit or that nothing asked for.
//
// # Answers
//
// A tool that has answered is not called again. Its answer is the job's result, however it was
// written; one that cannot be used at all fails the job, and no retry follows, whatever
// backoffLimit and failurePolicy say (action.Outcome.Answered). isError is the tool's own word
// that it failed, and is retried as the job says.
//
// Structured content is the job's result, up to 64 KiB, with its numbers as the tool wrote
// them; beyond that the message says so and the log has it. An answer that does not fit the
// tool's output schema is kept, and the message says what does not fit: the tool has done its
// work. Images, audio, links and resources are artifacts with their type and size; what they
// hold is not kept (result.go).
//
// A list of tools is used as far as it can be read (tools.go): a tool that cannot be read is
// left out, a page that was there before ends the list, and so do 1,000 pages or 16 MiB.
//
// # Rules
//
//  1. A progress token is always sent; what comes back is pct and step. There is no
//     time limit but the job's own.
//  2. Arguments are checked against the tool's input schema before the call (arguments.go):
//     every violation at once, each with the job's field. A schema, or a part of one, that
//     cannot be used is said in the job's log and left to the server to check.
//     Fields that it requires and has a default for are sent with it (package schema).
//  3. A canceled call sends notifications/cancelled, which a server may ignore
//     (specification, "Cancellation"). So the session is closed as well, and a stdio
//     server's process group is gone before Run returns: that is the proof. Of a server
//     whose command is docker run or podman run the container is removed (package
//     container), also after a crash, before an attempt is recovered (contained.go). Of
//     other commands that are clients only, ssh and docker exec among them, the message
//     says that no more is known than the end of the client.
//     Over HTTP there is no such proof: the cancellation is delivered, then the session
//     is ended, each within a bounded time, and the message says what was confirmed.
//     A task is canceled by tasks/cancel, whose answer is the server's word for its end.
//  4. isError is the tool's own failure, in its own words; everything else that goes
//     wrong says which server, which tool, and what the server last wrote to stderr.
//
// # Plans
//
// A plan (plan.go) does what a call does up to the call itself. Where the operator's file
// names a preview for the tool, "plan": {"apply_builder": "preview_apply"} beside a
// server's command or url, that tool is called with the same arguments, but only if the
// server marks it readOnlyHint. Its structured answer may have
//
//	changes   [{verb, kind, name, detail}], as v1.PlanChange
//	files     [{path, status, bytes}]: created, unchanged, deleted; anything else is a change
//	problems  [text]: what the tool itself would fail for
//
// and its isError is a problem of the job.
package mcp
