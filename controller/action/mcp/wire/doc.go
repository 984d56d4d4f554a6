// Package wire stands between the bytes of an MCP server and the SDK, which gives a
// connection up at the first byte that it did not expect. Most of what servers write
// wrongly has a clear meaning; wire reads it, says what was wrong, and hands the SDK a
// message without a fault.
//
//	stdio   stdout ──frames──┐                      ┌──► Stdio (an sdk.Connection)
//	                         ├──► Peer.receive ─────┤
//	HTTP    body ──JSON, SSE─┘         │            └──► Transport (an http.RoundTripper)
//	                                   ▼
//	                 Exchange: raw result, remarks, Failure
//
// # One mechanism for both transports
//
// A request carries an Exchange in its context. Peer knows the requests that wait for an
// answer, by id. An answer to tools/call stays in its Exchange as it was written, numbers
// and all; the SDK gets an empty one in its place, so that no answer of a tool can be lost
// in the SDK's decoder. What the answer means is for package answer to read. Every other
// result goes to the SDK, a list of tools without those that the SDK cannot read.
//
// The alternative was to send tools/call as a method of our own and to keep the SDK's
// transports. It would have left ids, framing, HTTP errors and limits to the SDK, and
// would have lost the headers that protocol 2026-07-28 makes from a standard method.
//
// # Rules
//
//  1. No message is held that is longer than MaxMessage, whether it comes over stdio, as a
//     body or as an event, compressed or not. It is refused before it is expanded.
//  2. An answer belongs to the request of its id; as a string too ("7" for 7). Without an
//     id, or with one that nobody has asked with, it belongs to the request whose HTTP
//     response carries it; over stdio id 0 belongs to the only request that waits. Any
//     other answer that nobody waits for fails that request after StrayTime.
//  3. A byte order mark, CRLF, a message over several lines (stdio), bytes that are not
//     UTF-8, NaN and Infinity, raw control characters, and a missing or wrong jsonrpc
//     member are read. Content-Length headers end the session at once, with the reason.
//  4. What a server behind HTTP answers instead of a message becomes a Failure: status, the
//     first BodyShown bytes of the body, Retry-After, what to do. Operators' secrets do not
//     get into it (Options.Redact).
//  5. A call of a tool is written once. Nothing here sends it again, and the Go HTTP
//     transport, which would, gets no body to send again (Transport.once).
//  6. The stream of events that a session listens to (GET) is opened beside it and opened
//     again when it ends; a server that does not have it, or does not answer it, holds up
//     nothing.
//  7. Notifications are handed over in the order of the wire, before an answer that came
//     after them. The SDK gets only those that it acts on.
package wire
