// Package questions answers the questions that a server asks during a call of a tool
// (elicitation): from spec.build.answers of the job, and from the defaults of the question's
// schema where the operator's file allows that. Nobody is there to ask, so every other
// question is declined.
//
// # Invariants
//
//  1. A question is answered only where the operator's file lets the server ask.
//  2. An answer fits the question's schema, or the question is declined.
//  3. The job's message names the answers that fit no question, and the questions that were
//     declined (Remark).
package questions
