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
// does not take it any more; a request is repeated once at most, and only after an answer
// that says that it was not carried out.
//
// # What is kept from whom
//
// A token goes to the origin of the server's url alone. The client's secret goes to the
// token endpoint alone, by https or to a loopback address. The authorization server is the
// one that the server's own metadata names, unless the operator's file names an issuer:
// then it must be that one. The resource that the metadata is about must be the server.
//
// Tokens are kept in memory only, one for each server of the file, for all workspaces: a
// restart gets new ones. An authorization server that hands out a new refresh token with
// each use takes the one in the operator's file only once; after a restart a new one is
// needed there.
//
// Secrets and tokens are in no error; Redact takes them out of what servers say.
package oauth
