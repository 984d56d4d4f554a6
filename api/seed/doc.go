// Package seed is the shape in which /api/jobs shows jobs, and the file of jobs that
// applications kept before Jobwright. It does no I/O: the server and `jobwright import`
// bring the bytes.
//
//	{"id", "type", "workspaceId", "createdBy", "payload", "status", "pct", "step",
//	 "logs", "createdAt", "updatedAt"}      times in milliseconds since 1970
//
// # Payload
//
// A payload is answered JSON-equal to what was sent: the order of keys and white space
// are free, numbers stay as written. The object's spec gives most payloads back as they
// were; what it would lose (an empty member, all of a record's members) is kept in the
// annotation jobwright.dev/payload. The annotation counts only as long as it means the
// same action as the spec: once the spec was edited, the payload is made from it.
//
// # Invariants
//
//  1. FromJob(Job(payload)) answers a payload that is JSON-equal to the one sent.
//  2. A payload that FromJob answers means the action that the job runs.
//  3. Unknown members of a build or a deploy are refused; those of a record are kept.
//  4. Errors name the member by its path in the request: jobs[3].payload.verb.
package seed
