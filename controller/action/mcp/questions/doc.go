// Package questions answers what a server asks during a call of a tool (elicitation): from
// spec.build.answers of the job, and from the defaults of the question's schema where the
// operator allows that. There is no person to ask, so every other question is declined.
//
// # Invariants
//
//  1. A question is answered only where the operator's file lets the server ask.
//  2. An answer fits the question's schema, or the question is declined.
//  3. Answers that fit no question, and questions that were declined, are named in the
//     job's message (Remark).
package questions
