// Package jobfiles keeps a JSON file for each job of which an action must remember something
// beyond its worker's life, such as an operation that an attempt has begun elsewhere.
//
// # Invariants
//
//  1. A file is on disk when Write returns. It is whole or absent, whatever crashes.
//  2. The name of a file is its job's uid and the folder's suffix; no file is outside of the
//     folder, whatever a store that was edited by hand gives as a uid.
//  3. A folder without a name keeps nothing, and every method succeeds.
package jobfiles
