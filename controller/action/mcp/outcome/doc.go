// Package outcome makes action.Outcomes of what servers answer: of a tool's answer, of a
// failure, of a preview. It is a function of values, but for the job's log, which gets all
// of an answer's content.
//
// # Invariants
//
//  1. A tool that has answered has done its work. What is wrong with the answer is told in
//     the message and is no failure; only isError is one.
//  2. Structured content is the job's result as it was written, up to 64 KiB.
//  3. No message has more than display.MaxMessage bytes of a server's words.
package outcome
