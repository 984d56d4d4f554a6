// Package session is one session with one MCP server: its start, the introduction, calls of
// tools, the server's words meanwhile, and its end.
//
// A session serves one call at a time, so that progress, log lines and a cancel belong to
// exactly one attempt. Its user calls Begin and End around each call; package pool decides
// who the user is.
//
//	Connect ──► Begin ──► Call ──► End ──► Begin ──► … ──► Close
//	   │          │
//	   │          └── what the server says goes to the attempt
//	   └── version.go: which protocol the server speaks; start.go: how long it may take
//
// # Invariants
//
//  1. No request waits for longer than its context: neither for a server that does not
//     read, nor for one that is gone while its children hold its stdout (health.go).
//  2. What the server writes before its answer belongs to the call. What comes between two
//     calls, or in the first second after another workspace's call, goes to Jobwright's own
//     log (words.go).
//  3. A server that asks is answered at once (client.go).
//  4. After Close nothing of a program is left, as far as that can be known; what is in
//     doubt, Stopped says.
//  5. Nothing that is logged or returned as an error holds a secret of the operator's
//     (Redact).
package session
