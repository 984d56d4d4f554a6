// Package apicall carries out jobs of type api_call: one HTTP request and what is
// expected of its response, or of the end of the operation that it begins.
//
// # Rules
//
//  1. A request is sent once in an attempt (package outbound). One that was sent and not
//     answered fails as Interrupted, and says so.
//
//  2. Idempotency-Key is the same for every attempt of one run, so that a receiver can tell
//     a retry from a second order, and another one for the next run. A key that the job
//     sets is sent instead. Jobwright-Attempt is the attempt's number.
//
//  3. A redirect that would turn the job's method into GET (301, 302, 303) fails the call
//     unless the job says how many redirects may be followed; 307 and 308 keep method and
//     body. A job's headers go to the host that its URL names. A redirect to another host
//     goes without them and never with the body; one from https to http is refused.
//     Cookies live as long as the call. A redirect that is not followed is an answer: the
//     call fails with UnexpectedStatus, and failure rules may go by its status.
//
//  4. Nothing is retried here; that is the controller's decision. A Retry-After goes along
//     with the outcome.
//
//  5. What is read is bounded, compressed and decompressed; gzip and deflate are read, other
//     encodings named. The head of it goes into the log, a shorter one into the result.
//     What is sent (headers, body, user info of the URL) never does.
//
//  6. Secrets are looked up when an attempt starts. What the other side says goes through
//     their redaction before it is cut or shown; the job's own words never do, and secrets
//     that the call does not send are not looked for: a mask would tell a caller that it
//     has guessed one.
//
//  7. Expectations on headers are regular expressions (RE2, linear in time), those on the
//     body JSONPath (package jsonpath) with a value or an expression: not CEL, whose library
//     made the binary 5 MiB (a fifth) larger in a trial, for what people ask of a response,
//     while the parser of JSONPath is linked for kubectl's output format anyway.
//
//  8. An operation (spec.apiCall.poll) is on disk before it is waited for. A crash, and a
//     retry of the same run, go on asking; the request that began it is sent again only
//     when an answer has said that the operation failed. Between the answer that began it
//     and the disk lies the one moment in which a crash loses it: such an attempt is
//     interrupted as any other. What asks is GET, so an answer that does not come is asked
//     for again, until poll.timeoutSeconds; it is no sign of life for the idle limit.
//     (Azure's and Google's long-running operations go by the same three signs: a status
//     other than 202, a member of the body, a Retry-After.)
//
//     request ──► expected status ──► state of the answer?
//     │                             ├─ failed ──► Failed
//     └─ other ──► Failed           ├─ done ────► expect, result
//     └─ runs ────► on disk ──► wait ──► GET ──┐
//     ▲                        │
//     └── runs, or no answer ──┴─► failed, done
package apicall
