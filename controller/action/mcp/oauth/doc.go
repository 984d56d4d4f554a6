// Package oauth gets tokens for MCP servers behind HTTP, without a person: by the client's
// own credentials (client_credentials, as a secret or a signed assertion), or by a refresh
// token.
//
//	request ──► server ──401, or 403 insufficient_scope──► what does it want?
//	   ▲                                                     │  (protected resource metadata,
//	   │                                                     ▼   RFC 9728)
//	once more ◄── token ◄── token endpoint ◄── authorization server metadata (RFC 8414)
//
// Where the operator's file names a tokenUrl, nothing is found out, and the first request
// has a token already. A token is renewed when it is about to expire, and when the server
// does not take it any more. A request is repeated only after an answer that says that it was
// not carried out, and not any more when a token that was got for it is refused.
//
// # What is kept from whom
//
// A token goes to the origin of the server's url alone. The client's secret goes to the
// token endpoint alone, by https or to a loopback address. The authorization server is the
// one that the server's own metadata names, unless the operator's file names an issuer:
// then it must be that one. The resource that the metadata is about must be the server.
//
// A Source never uses tokens of another issuer, token endpoint or client than its own, nor
// those that were got with other credentials than the operator's file has now.
//
// # What outlives what
//
// There is one grant for each server of the file, for all workspaces: an access token, and the
// refresh token that the authorization server gave last (type Tokens). It outlives a change of
// the server's definition, and with a Keeper (package vault) a restart:
//
//  1. A new refresh token is on the disk before the access token that came with it is used.
//     If it cannot be written, the access token is used nevertheless, because the refresh token
//     before it is used up already; the log says so, and the write is tried again.
//  2. A request to the token endpoint is not canceled with the job that caused it: its answer
//     may hold the only refresh token that is still taken. It ends within 30 seconds, and
//     Close waits for it.
//  3. What cannot be read, because it is damaged, of another key or there is no key, counts
//     as absent: a token is requested with what the operator's file has, but never with a
//     refresh token that was replaced by what cannot be read. The log says why once.
//  4. Without a Keeper all is kept in memory only. The log says so once for each server that
//     replaces refresh tokens, because the one in the operator's file is used up then, and
//     a restart needs a new one there.
//
// A program that is killed while the token endpoint answers may lose the refresh token in that
// answer. OAuth has no way to ask for it again: a new one is needed in the operator's file.
//
// Secrets and tokens are in no error; Redact takes them out of what servers say.
package oauth
