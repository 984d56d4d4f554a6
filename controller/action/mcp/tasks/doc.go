// Package tasks calls tools as tasks: calls that outlive their request. The server hands
// out an id at once, and is asked for the state and the result.
//
// This is the protocol of 2025-11-25
// (modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks). The SDK knows no
// tasks: their methods are sent as methods of our own, which get their real names on the
// wire (wire.OwnPrefix). The extension of 2026-07-28 has another wire format; its servers
// make no tasks for a client that does not declare the extension, and answer such calls when
// they are done.
//
//	Create ──► working ──► completed, failed ──► Result
//	              │  └───► input_required ─────► Result, which puts the question
//	              └──────► cancelled
//
// # Invariants
//
//  1. A server that cannot be reached is asked again for up to five minutes, as long as the
//     session is sound: a task is there when its server is back.
//  2. A task is asked for no more often than every 50 ms and no less often than every 30 s,
//     and at once when the server tells of a change.
package tasks
