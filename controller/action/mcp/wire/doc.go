// Package wire reads an MCP server's bytes on their way to the SDK.
//
// The SDK gives a connection up at the first byte that it did not expect. Most faults of
// servers have a clear meaning. The package reads them, says what was wrong, and hands the
// SDK a message without a fault.
//
//	stdio   stdout ──frames──┐                      ┌──► Stdio (an sdk.Connection)
//	                         ├──► Peer.receive ─────┤
//	HTTP    body ──JSON, SSE─┘         │            └──► Transport (an http.RoundTripper)
//	                                   ▼
//	                 Exchange: raw result, remarks, Failure
//
// # One mechanism for both transports
//
// A request carries an Exchange in its context. Peer knows by id which requests wait. The
// answer to tools/call stays in its Exchange as it was written, numbers and all, and the SDK
// gets an empty answer in its place: the SDK's decoder loses no answer of a tool. Package
// answer says what the answer means. Every other result goes to the SDK; a list of tools
// goes without the tools that the SDK cannot read.
//
// Not chosen: sending tools/call as a method of our own over the SDK's transports. Ids,
// framing, HTTP errors and limits would stay with the SDK, and the request would lose the
// headers that protocol 2026-07-28 makes from a standard method.
//
// # Rules
//
//  1. Message size: at most MaxMessage, over stdio, as a body or as an event, counted after
//     decompression. A longer message is refused before it is held.
//  2. Ids: an answer belongs to the request of its id, a number or a string ("7" for 7).
//     Without a known id, the answer belongs to the request whose HTTP response carries it.
//     Over stdio, id 0 and a missing id belong to the only request that waits. Any other
//     answer fails the only request that waits, after strayTime.
//  3. Form: a byte order mark, CRLF, a message over several lines (stdio), bytes that are not
//     UTF-8, NaN and Infinity, raw control characters, and a missing or wrong jsonrpc member
//     are read. Content-Length headers end the session at once, with the reason.
//  4. HTTP: a response without a message is a Failure with the status, the first bodyShown
//     bytes of the body, Retry-After, and what to do. Options.Redact removes secrets.
//  5. Once: a call of a tool is written once. The package never sends it again, and the Go
//     HTTP transport gets no second body to send (Once).
//  6. Streams: the session's own stream of events (GET) is opened beside the session, and
//     again when it ends. A server without one, or that does not answer, delays nothing.
//  7. Order: notifications are handed over in the order of the wire, and before an answer
//     that came after them. The SDK gets only the notifications that it acts on.
//  8. Versions: a version of the protocol that does not exist is read as the nearest one
//     that does.
package wire
