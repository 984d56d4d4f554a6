// Package datadir knows what stands in the server's data folder beside its objects: the
// worker's identity and the operator's token.
package datadir
