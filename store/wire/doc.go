// Package wire is a store in another process: the contract of package store over the
// Kubernetes API that jobwright serve offers (api/server), through api/client. A worker on
// another machine has its jobs from here.
//
// # What is lost on the wire
//
// The server treats what it is given as an API server does (Features): objects get
// defaults and are validated, a uid is the server's, one object is created at a time, and a
// deletion answers with the state before. Whether a rerun begins in the write that asks for
// it is up to the server's own store. The server keeps the rest of the contract, and this
// package adds nothing to it: no cache, no index. Count therefore reads every object.
//
// # Errors
//
//	404                    ErrNotFound        409 AlreadyExists   ErrExists
//	409                    ErrConflict        410                 ErrExpired
//	other 4xx              ErrInvalid         507                 ErrFull
//	429, 502, 503          ErrUnavailable
//	other 5xx, no answer   ErrUnknown for a write that may have reached the server,
//	                       ErrUnavailable for everything else
//
// # Watches
//
// A watch is one request, which ends after some minutes and begins anew where it was; so
// does one that breaks off, once: when the server cannot be reached then either, Next
// answers ErrUnavailable, and may be called again. Bookmarks move the place of a watch that
// has nothing to tell.
//
// # Invariants
//
//  1. A record is the bytes that the server's store has, without what is computed for
//     readers (status.blockedBy): Get asks for a list of one.
//  2. A write is sent once. Whether one that got no answer has happened only a read tells.
//  3. No request without an end: Options.Timeout bounds each, and a watch that is silent
//     for longer than bookmarks come is begun anew.
package wire
