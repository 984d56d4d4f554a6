// Package actiontest is the suite that every action.Runner passes: the invariants of
// package action, seen from outside. The suite checks that a Runner ends, leaves no process
// behind and reports in the agreed terms; the Runner's own tests check its action.
package actiontest
