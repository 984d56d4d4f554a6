package store

import "errors"

// The errors of an engine. Each is wrapped with the operation and the key, as
// in "update job acme/x: the object has changed: …".
var (
	// ErrNotFound: there is no object with that key.
	ErrNotFound = errors.New("not found")
	// ErrExists: there is an object with that key already.
	ErrExists = errors.New("already exists")
	// ErrNoWorkspace: the workspace that the object is to be created in is not there (any
	// more).
	ErrNoWorkspace = errors.New("there is no such workspace")
	// ErrNotEmpty: the workspace still has objects, so it cannot be deleted.
	ErrNotEmpty = errors.New("the workspace is not empty; delete what is in it first")
	// ErrConflict: the object is not in the version the caller has read.
	ErrConflict = errors.New("the object has changed; read it again and apply the change to what it is now")
	// ErrExpired: that version lies before what the engine remembers.
	ErrExpired = errors.New("too old resource version")
	// ErrInvalid: the call itself is wrong; no state of the store would accept it.
	ErrInvalid = errors.New("invalid")
	// ErrReadOnly: after a failed write or fsync the engine takes no more writes until it
	// has found, by itself, that writing works again. Nothing acknowledged is lost; reads go
	// on.
	ErrReadOnly = errors.New("the store is read-only after a write error; free the cause: it tries again by itself, or restart")
	// ErrFull: too little disk space is left to take new work. Reads, deletions
	// and the status of work under way go on.
	ErrFull = errors.New("too little disk space for new work")
	// ErrUnavailable: the engine cannot be reached at the moment, e.g. its database is
	// away. Nothing was written; the same call may succeed in a while.
	ErrUnavailable = errors.New("the store cannot be reached; try again in a while")
	// ErrUnknown: the answer to a write was lost, so it may have happened or not. Read
	// the object to find out; write again only in a way that does no harm twice.
	ErrUnknown = errors.New("the store's answer was lost; the write may have happened or not: read the object to find out")
	// ErrClosed: the engine was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("the store is in use")
	// ErrCorrupt: the state on disk is neither one that the engine has acknowledged
	// nor the torn end of one. The engine refuses to open and changes nothing.
	ErrCorrupt = errors.New("the store's files are damaged")
)
