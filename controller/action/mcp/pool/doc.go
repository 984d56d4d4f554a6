// Package pool keeps warm sessions with servers and decides which of them a call gets.
// It knows nothing of MCP: a Session is anything that can be used, waited for and closed.
//
//	Take ── place in its line ──► idle session of the line, if it is usable
//	                        └───► budgets ──► start ──► calling ──Put──► idle ──► closed
//	                                                       └──Drop──────────────► closed
//
// # Invariants
//
//  1. A session serves one call at a time.
//  2. A session serves one Line: one workspace and, within it, one name or none. Only the
//     caller makes workspaces share a line, by leaving the workspace empty.
//  3. A line without a name has Options.Calls places, one with a name has one. Calls wait
//     for a place in the order in which they came.
//  4. A session counts towards each of its Budgets from before its start until its Close
//     has returned. No budget is ever exceeded.
//  5. Of the calls that wait for a budget the one goes first whose workspace holds the
//     least of it, then the one that came first.
//  6. An idle session without a name is closed when a call waits for a budget that it
//     counts towards, the one that was idle for longest first. A session with a name is
//     closed for no other: only when its idle time is up, it breaks, or its pool closes.
//  7. Nothing waits for longer than its context.
package pool
