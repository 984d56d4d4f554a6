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
//  4. Nothing is retried here; that is the controller's decision. A Retry-After goes along
//     with the outcome.
//  5. Expectations on headers are regular expressions (RE2, linear in time), those on the
//     body JSONPath with a value or an expression: not CEL, whose library made the binary 5 MiB
//     (a fifth) larger in a trial, for what people ask of a response, while JSONPath is linked
//     for kubectl's output format anyway.
//  6. A job's headers go to the host that its URL names. A redirect to another host goes
//     without them, one from https to http is refused.
package apicall
