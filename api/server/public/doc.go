// Package public makes texts fit for clients. They name files and no folders: where data lies
// on the server is the operator's matter, and the log tells it. Values that a client has sent
// are quoted and cut.
package public
