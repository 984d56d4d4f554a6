package store

// Features are what an engine may lack; every other promise of the contract each engine
// keeps. An engine is shown by storetest to have what it declares, and callers ask only
// where they can do without: import creates objects one by one where Create of several is
// not atomic, and a reconciler looks for reruns where the engine does not start them.
type Features struct {
	// AtomicCreate: Create of several objects stores all or none. Without it Create takes
	// one object at a time and answers ErrInvalid for more.
	AtomicCreate bool
	// AtomicRerun: the Update that raises spec.reruns of a finished Job starts it over
	// (v1.Rerun). Without it the status stays terminal until the job's reconciler has
	// written another; v1.Job.Finished tells the two apart.
	AtomicRerun bool
	// Verbatim: objects are stored as they are given, their status with them. Without it
	// the engine treats them as an API server does: an object is created with an initial
	// status and gets defaults, and ErrInvalid answers what validation refuses, of a
	// status too.
	Verbatim bool
	// GivenIdentity: Create keeps a uid and a creationTimestamp that are set already, as
	// restore and import need it. Without it they are the engine's.
	GivenIdentity bool
	// DeletedVersion: Delete returns the last state at the version of the deletion.
	// Without it, the state before at its own version; watches are told the deletion's.
	DeletedVersion bool
}
