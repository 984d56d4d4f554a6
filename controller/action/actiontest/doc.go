// Package actiontest is the suite that every action.Runner passes: the invariants of
// package action, seen from outside. A Runner's own tests say what it does; this suite
// says that it ends, leaves nothing behind, and reports in the agreed words.
package actiontest
