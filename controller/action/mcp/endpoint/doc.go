// Package endpoint makes the SDK's transport to a server behind a URL: the dialing, the
// operator's headers and tokens, redirects, and the adoption of a session that another
// worker has left on the server.
//
// # Invariants
//
//  1. Headers and tokens go to the host and scheme of the server's URL alone.
//  2. A redirect is followed on that host and scheme only, and never turns one method into
//     another.
//  3. A call of a tool is sent once (wire.Once), whatever breaks below.
//  4. Of an adopted session the server is asked neither to begin nor, after Keep, to end.
package endpoint
