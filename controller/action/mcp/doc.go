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
//  2. Arguments are checked against the tool's input schema before the call.
//  3. A canceled call sends notifications/cancelled, which a server may ignore
//     (specification, "Cancellation"). So the session is closed as well, and a stdio
//     server's process group is gone before Run returns: that is the proof.
//     Over HTTP there is no such proof: the cancellation is delivered, then the session
//     is ended, each within a bounded time, and the message says what was confirmed.
//  4. isError is the tool's own failure, in its own words; everything else that goes
//     wrong says which server, which tool, and what the server last wrote to stderr.
package mcp
