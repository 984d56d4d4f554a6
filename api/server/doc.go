// Package server is Jobwright's HTTP interface.
//
//	/api/jobs[/ID]                                the seed's interface
//	/apis/jobwright.dev/v1/…                      objects, the Kubernetes way
//	/apis/jobwright.dev/v1/namespaces/W/jobs/N/log  a job's log
//	/api/v1/…/events                              the events of jobs, as core/v1 Events
//	/jobs                                         the page (package web)
//	/api/types                                    the types of jobs, for menus and forms
//	/metrics /livez /readyz /version              for operators
//
// # Routes
//
// Everything that is served is a row of one table (routes.go): method, pattern, kind, verb,
// scope, handler, and what clients must know of parameters and bodies. Discovery, the route
// labels of metrics, the Allow header of a wrong method and the tests over every route are
// made from it. A request passes these steps (pipeline.go):
//
//	row of the table → sender (package auth) → origin → workspace → may the sender? → handler
//
// The workspace of a request is resolved in one place, from the path, the cookie or the
// query, as the row's scope says. An error of any step is answered in the row's shape.
//
// Beside this package stand auth (senders and rights), deadline (peers that send or read too
// slowly), public (texts without folders of the server) and eventview (events as core/v1
// Events).
//
// The server has no view of the process that runs the jobs beyond Worker, and none of the
// process that it is part of beyond Operator.
//
// # The seed's interface
//
// Every success is {"ok":true} with a result; every refusal is {"ok":false,"error":CODE}
// with a message for a person where there is more to say than the code does. Package
// api/seed has the shapes.
//
//	GET  /api/jobs      {"jobs":[…]}, newest first; ?limit= (1 to 200, unset 200) and
//	                    ?offset= (to 100,000) page by number. If more jobs follow, the
//	                    answer has "continue" for ?continue=, which neither skips nor
//	                    repeats a job when others arrive meanwhile. ?status= selects one
//	                    status. Parameters by which other interfaces page and filter
//	                    are refused, all others are ignored.
//	POST /api/jobs      {type,payload} → 202 {"id"}; {"jobs":[{type,payload},…]}, at most
//	                    1,000 → 202 {"ids":[…]} in the same order, all of them or none;
//	                    JSON, or YAML with the Content-Type application/yaml
//	GET  /api/jobs/ID   {"job":{…}}
//	POST /api/jobs/ID   {"action":"cancel"} → 200, or 409 when the job has ended
//
// Retry-After asks polling clients to wait a second, and Location is the address of a new
// job.
//
// A job shows the end of its log: the last 1,000 lines and at most 1 MiB by itself, the
// last 20 lines and at most 32 KiB in a list; "logsTruncated" says that there are more.
// createdBy, beside type and payload or in spec, is taken from a request that carries the
// operator's token, and ignored in any other.
//
// The first POST creates the workspace that the cookie names, so that a web application
// needs no extra step for a new customer. The Kubernetes-style API creates none: there a
// missing workspace is 404.
//
// # Idempotency-Key
//
// A POST that creates, of jobs or of objects, may carry the header Idempotency-Key: 1 to
// 255 printable ASCII characters, in quotes or not. The first request that succeeds
// creates. Every later one with the key gets the same status and body, with
// Idempotency-Replayed: true, whatever has become of the object meanwhile; an object is
// answered as it was created and without resourceVersion, the first time too. A request
// at another address or with another body (compared as JSON values) is 422
// IdempotencyKeyReused. Keys are a workspace's own. A key ends with what it created: the
// object, or the last of several jobs. A request that was refused has not used its key,
// and a dry run needs none.
//
// The key's digest is an annotation of the object, so that it is on disk exactly when the
// object is; a label with a part of the digest makes it findable in the store's index. Of
// two concurrent requests the second waits for the first (the IETF's draft would answer
// 409) and repeats its answer. The wait is within this process: a store that admits several
// servers needs a lock of its own. A request without the header pays one header lookup.
//
// # Beyond the Kubernetes API
//
// Lists take order=newestFirst, for pages that show the latest jobs, and the field
// selector status.phase!=P, several times too. A status is written with
// PUT …/status?durability=soft where a crash of the machine may lose it, because it will be
// written again (store.Soft). A watch with allowWatchBookmarks=true receives a bookmark once
// a minute and at its end. A Workspace that still has jobs cannot be deleted (409), and
// "default" never can (403).
//
// # Dry runs
//
// dryRun=All, in the query or in the options of a DELETE, stores nothing and answers the
// object as the request would leave it, with the resourceVersion that it has now. Any other
// value is refused, and so is dryRun at an address without a dry run: a request never has
// effects that its sender has excluded.
//
// # Invariants
//
//  1. Errors become status codes in refusal.go and nowhere else.
//  2. A request sees objects of the workspace it names and no others; a job of
//     another workspace is indistinguishable from one that does not exist.
//  3. What a client sends of status (on the main resource), of spec (on /status), of
//     uid, timestamps or reserved metadata (reserved.go) is ignored; so is createdBy
//     without the operator's token.
//  4. Every body is bounded in size and time, and so is the time in which a client must read
//     the next part of an answer; every object that is written was validated.
//  5. Without authentication a request is served only when its Host is this machine's
//     loopback name, and one that does more than read only when no other origin has sent it.
//  6. No request is answered with a 5xx for what it contains.
package server
