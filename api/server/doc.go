// Package server is Jobwright's HTTP interface.
//
//	/api/jobs[/ID]                                the seed's interface, to the letter
//	/apis/jobwright.dev/v1/…                      objects, the Kubernetes way
//	/apis/jobwright.dev/v1/namespaces/W/jobs/N/log  what a job printed
//	/api/v1/…/events                              what happened to jobs, as core/v1 Events
//	/jobs                                         the page (package web)
//	/metrics /livez /readyz /version              for operators
//
// # The seed's interface
//
// design.md fixes routes, status codes and the job's shape; it leaves open where the
// jobs stand in an answer. Here every success is {"ok":true,"result":…}: a list of
// jobs, one job, or {"id":…}; every refusal is {"ok":false,"error":CODE} with a
// message for a person where there is more to say than the code does.
//
// A workspace that the cookie names and nobody has used yet is created by the first
// POST, so that a web application needs no step of its own for a new customer. The
// Kubernetes-style API creates none: there a missing workspace is 404.
//
// # Beyond the Kubernetes API
//
// Lists take order=newestFirst, for pages that show the latest jobs. A Workspace
// that still has jobs is not deleted (409), and "default" never is (403).
//
// # Invariants
//
//  1. Errors become status codes in refusal.go and nowhere else.
//  2. A request sees objects of the workspace it names and no others; a job of
//     another workspace is indistinguishable from one that does not exist.
//  3. What a client sends of status (on the main resource), of spec (on /status), of
//     createdBy, uid or timestamps is ignored.
//  4. Every body is bounded; every object that is written was validated.
//  5. Without authentication a request is served only when its Host is this machine's
//     loopback name, and an unsafe one only when no other origin has sent it.
package server
