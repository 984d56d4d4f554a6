// Package auth decides who sends a request and what the sender may do.
//
// The server asks twice for each request. An Authenticator turns the request into an
// Identity; an Authorizer decides whether that identity may carry out an Action, which is
// made from the route's row in the server's table: the verb, the kind and the workspace.
// Users, tokens and roles are further implementations of these two interfaces, and no
// handler knows which are in use.
//
//	request ─► Authenticator ─► CheckOrigin ─► Authorizer ─► handler
//	           who sends it?     no forgery      may they?
//
// # Invariants
//
//  1. The zero Identity has no rights of its own: it is whoever reaches a server that
//     serves without authentication.
//  2. An Authenticator that does not recognize the credentials of a request is not an
//     error; one that recognizes them and finds them wrong is.
//  3. CheckOrigin applies whatever the identity is, because a browser attaches a user's
//     credentials to requests that a foreign page makes.
package auth
