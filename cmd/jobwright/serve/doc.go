// Package serve is the command that runs the server: it opens the stores, makes the
// actions, wires controller and API, serves, and shuts down in order.
package serve
