// Package mcp carries out jobs of type build: one call of one tool of one MCP server.
//
// Servers come from the operator's file in the mcpServers format that MCP clients
// share (config.go), never from a job.
//
// # Sessions
//
// Sessions are kept warm in a pool for each server (pool.go). A session serves one
// call at a time, so that progress, log lines and a cancel belong to exactly one
// attempt. A session that broke, or whose call was canceled, is not used again.
//
//	idle ──take──► calling ──the tool answered──► idle ──IdleTime──► closed
//	                  │
//	                  └──canceled, broken──► closed: stdin closed, SIGTERM, SIGKILL
//
// # Rules
//
//  1. A progress token is always sent; what comes back is pct and step. There is no
//     time limit but the job's own.
//  2. Arguments are checked against the tool's input schema before the call (arguments.go):
//     every violation at once, each with the job's field. A schema, or a part of one, that
//     cannot be used is said in the job's log and left to the server to check.
//  3. A canceled call sends notifications/cancelled, which a server may ignore
//     (specification, "Cancellation"). So the session is closed as well, and a stdio
//     server's process group is gone before Run returns: that is the proof.
//     Over HTTP there is no such proof: the cancellation is delivered, then the session
//     is ended, each within a bounded time, and the message says what was confirmed.
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
