// Package container keeps track of the container that an MCP server runs in, when its
// command is `docker run` or `podman run`. Such a command is only a client: when it is
// killed, the container goes on.
//
// The container gets labels of the worker, of the worker's run (the time of one process) and
// of the session, put behind `run`. Labels
// can be given any number of times, so that they change nothing that the operator has
// written, as a name or a file for the id would. By its label a container is found and
// removed when its session ends, and that of a worker that died when the next one starts.
//
// Commands that are not understood stay as they are: a shell that calls docker, `docker
// compose run`, `docker exec`. What they leave in a container is not known, and Foreign says
// so.
package container
