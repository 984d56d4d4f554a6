// Package tasks calls tools as tasks: calls that outlive their request. The server answers
// with an id at once, and is asked for the state and the result.
//
// A tool is called as a task where the server requires it, and over HTTP also where the
// server allows it, because there the task outlives this worker. The attempt keeps the id on
// disk (package memory) before it waits for the end.
//
//	Create ──► working ──► completed, failed ──► Result
//	              │  └───► input_required ─────► Result, which puts the question
//	              └──────► cancelled
//
// The protocol is that of 2025-11-25
// (modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks). The SDK knows no
// tasks: their methods are sent as methods of our own, which get their real names on the
// wire (wire.OwnPrefix). The tasks of protocol 2026-07-28 are not spoken: they are for
// clients that declare the extension io.modelcontextprotocol/tasks, and other clients get
// the answer of the tool when it is there.
//
// # Invariants
//
//  1. A server that cannot be reached is asked again for up to five minutes, as long as the
//     session is sound: a task is there when its server is back.
//  2. The state of a task is asked for at most every 50 ms, at least every 30 s, and at once
//     when the server tells of a change.
package tasks
