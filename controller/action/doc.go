// Package action is the contract between the controller and what carries out a job's
// payload. An action is data: a Type has the name of its jobs, a Runner that carries out
// their attempts, and, where the action has them, a concurrency key, a plan and what it
// keeps between attempts. A Set is the registry that a controller and a server are given.
// Each action is a package of its own below this one (mcp, compose, apicall), and every
// Runner passes actiontest.
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
// An attempt whose worker died is handed to Recover instead, before anything else is
// decided about its job.
//
// # Invariants
//
//  1. When Run returns, nothing that the attempt started is running any more, except what
//     the job is there to leave behind: the containers of a deploy, a task or an operation
//     on another machine.
//  2. A failed action is an Outcome, never an error of the controller. Its reason is from
//     v1's closed set; its message begins with the action's own words.
//  3. A Runner never panics on a bad payload, and never trusts that validation has seen it.
//  4. Output is bounded: a line by MaxLine, the rest by the sink.
//  5. Every process that a Runner starts carries the worker's identity in its environment,
//     and the attempt's where it belongs to one (controller/action/process), so that it is
//     found after a crash.
//  6. Outcome.Answered marks an action that was carried out and whose answer cannot be used.
//     No retry follows, whatever the job says: a retry would carry the action out twice.
//  7. Outcome.Facts are what the rules of a failure policy are compared with. A Runner
//     reports those that its payload's descriptor in v1 names, and no others.
//
// # One more action
//
// One more action is a package below this one with a Runner and its Type, a payload in v1
// (see there), one line where the server registers its actions, and a manifest. The test of
// the command line that drives a made-up action through every layer shows that this is all.
package action
