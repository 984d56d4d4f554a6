// Package outcome makes action.Outcomes of the answers and failures of servers, and changes
// of plans of previews. Its functions depend on values only; the content of an answer goes
// to the job's log as well.
//
// The result of a job is the structured content of the answer, up to 64 KiB, with its
// numbers as the tool wrote them; the log has a longer one, and the message says so. Without
// structured content, the result is the text of the answer. Images, audio, links and
// resources are artifacts with their type and size; their data is not kept.
//
// A server behind HTTP that answers with no message fails the job with the status, the first
// 500 bytes of the body, and advice. Failure rules may name the status (httpStatus), and a
// retry waits for Retry-After.
//
// # Invariants
//
//  1. A tool that has answered has done its work. The message tells of anything that is
//     wrong with the answer, as with its output schema; only isError is a failure.
//  2. No message has more than display.MaxMessage bytes of a server's text.
package outcome
