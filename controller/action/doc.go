// Package action is the contract between the controller and what carries out a
// job's payload: one Runner for each type of job, in a package of its own below
// this one (mcp, compose, apicall). Every Runner passes actiontest.
//
// # One attempt
//
//	controller                          Runner
//	    │  persists the attempt            │
//	    ├── Run(ctx, attempt, sink) ──────►│ starts the side effect
//	    │◄──────── sink.Line, Progress ────┤ while it runs
//	    ├── cancels ctx ──────────────────►│ asks it to stop (MCP cancellation,
//	    │                                  │ SIGTERM to the process group), waits
//	    │                                  │ attempt.Grace, then kills
//	    │◄──────── Outcome ────────────────┤ nothing of the attempt is left
//
// # Invariants
//
//  1. When Run returns, nothing that the attempt started is running any more.
//  2. A failed action is an Outcome, never an error of the controller: its reason
//     is from v1's closed set, its message in the action's own words first.
//  3. A Runner never panics on a bad payload, and never trusts that validation has
//     seen it.
//  4. Output is bounded: a line by MaxLine, the rest by the sink.
//  5. Every process that a Runner starts carries the worker's and, where it
//     belongs to one attempt, the attempt's identity in its environment
//     (controller/action/process), so that it can be found after a crash.
//  6. Outcome.Answered marks an action that was carried out and whose answer cannot be used.
//     No retry follows, whatever the job says: a retry would carry the action out twice.
package action
