// Package selection resolves the arguments of a command to objects, and completes them in a
// shell.
package selection
