// Package client is the Go client of a Jobwright server: what the command line uses,
// and any other program may.
//
// Calls return the server's refusals as *StatusError, whose metav1.Status says what
// is wrong with which field. Streams (Watch, Logs) come back after a lost connection:
// a watch goes on from the last version it saw and lists anew where the server no
// longer knows it, a log from the last offset; so a caller sees a server's restart as
// a pause.
package client
