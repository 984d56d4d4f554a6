// Package selection finds the objects that a command's arguments name, and completes such
// arguments in a shell.
package selection
