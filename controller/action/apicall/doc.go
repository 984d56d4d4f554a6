// Package apicall carries out jobs of type api_call: one HTTP request and what is
// expected of its response.
//
// # Rules
//
//  1. The attempt's id goes along as Idempotency-Key, so that a receiver can tell a
//     retry from a second order.
//  2. Private, loopback and link-local addresses are refused unless the operator
//     allows them. The check is made on the address that is dialled, after the name
//     was resolved and for every redirect, so that no name can lead inside.
//  3. What is read is bounded; the head of it goes into the log, a shorter one into
//     the result. What is sent (headers, body, user info of the URL) never does.
//  4. Nothing is retried here; that is the controller's decision.
package apicall
