// Package v1 holds Jobwright's objects: their types, defaults, validation,
// conditions and reasons. It is pure: it does no I/O, reads no clock and imports
// nothing but the standard library and apimachinery.
//
// # Objects
//
// A Job is one piece of work: an MCP tool call (build), a docker compose
// operation (deploy) or an HTTP call (api_call). A Workspace is the namespace in
// which jobs live; objects of one workspace are invisible from every other.
//
// # Phases
//
// A Job's phase summarises its conditions and moves only along these arrows:
//
//	    ┌──────────────────────────────┐  interruption, retry
//	    ▼                              │
//	Queued ───────────────────────► Running
//	    │                              │
//	    ├──────────► Canceled ◄────────┤
//	    ├──────────► Failed   ◄────────┤
//	    └──────────► Succeeded ◄───────┘
//
// # Invariants
//
//  1. Terminal is absorbing: once phase is Succeeded, Failed or Canceled, no
//     later observation changes phase, reason, message or completionTime. Only a
//     rerun (invariant 7) leaves it.
//  2. phase is Running exactly when status.currentAttempt is set.
//  3. Every terminal Job carries exactly one of the conditions Complete, Failed,
//     Canceled with status True, and Finished with status True.
//  4. attempts and reruns never fall, failures and interruptions never within one
//     run, pct never within one attempt.
//  5. Every status.reason is one of the constants in reasons.go.
//  6. What has begun has begun: a phase is never unset, startTime never
//     moves within a run, unless a suspension unsets it, or the clock was set back:
//     then it may go back with it. completionTime is not before it, whatever the
//     clock does.
//  7. A rerun begins only from a terminal phase, in the same write that raises
//     spec.reruns, and puts how the run before ended into status.history.
//  8. Counters, messages and the lease are bounded: none wraps, none fills the store, none
//     holds a job for ever.
//
// Check in invariants.go reports each violation; tests of every layer call it.
//
// # Kinds
//
// A kind is data: DefineKind makes it of its names and a Strategy, which holds all that
// differs between kinds, and whoever handles objects is given a KindSet. One more kind
// touches:
//
//	NAME_types.go       the types, with Default
//	NAME_kind.go        names, strategy, columns
//	validate_NAME.go    validation
//	kinds.go            one word in ours
//	register.go         the constants of its name
//
// and `make generate`, which writes deep copies, JSON code and the CRD. The test of the
// command line that drives a made-up kind through every layer shows that this is all.
//
// # Payloads
//
// The payload of a type of job is data as well: DefinePayload makes a descriptor of its
// names and a PayloadStrategy, and the kind Job has the PayloadSet of a KindSet. One more
// type in this package touches:
//
//	job_types.go        the constant, and the payload's field in JobSpec
//	NAME_types.go       the types
//	payload_NAME.go     the descriptor
//	validate_NAME.go    validation
//	payloads.go         one word in ourPayloads
//
// and `make generate`. A program that adds a type to the types of this package, as a test
// does, touches none of these files: its payload is in JobSpec.Custom. A failure rule may use
// a fact without a field of its own in FailureRule as a custom criterion, under the fact's
// name; such a field and a row in criteria.go make it one of this package's criteria.
//
// # Fields from later work
//
// A field that this version does not act on yet is refused at admission with
// "not supported yet" instead of being ignored: a job that asks to be removed after
// a day must not stay for ever. The list stands in unsupported.go and only shrinks.
//
// +kubebuilder:object:generate=true
// +groupName=jobwright.dev
package v1

//go:generate go run ./internal/jsongen
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 object paths=. crd paths=. output:crd:dir=../../manifests/crd
