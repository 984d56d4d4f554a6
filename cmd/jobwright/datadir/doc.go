// Package datadir reads and creates the identities in the server's data folder: the worker's
// name and the operator's token.
package datadir
