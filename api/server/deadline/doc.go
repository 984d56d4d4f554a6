// Package deadline gives up peers that send or read too slowly. A body must arrive within a
// fixed time; an answer may last, and each part of it must be read within a time of its own.
package deadline
