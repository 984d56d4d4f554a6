// Package engine asks a docker engine, through the docker program, about the containers
// and images of compose projects, and has it change them.
//
// Docker runs the program: every process that an attempt starts beside its own docker
// compose comes from here. Project lists the containers of one project and waits for
// their changes. Container is the one description of a container that every package of
// compose shares.
//
// # Invariants
//
//  1. No shell stands between: a command is a program and its arguments.
//  2. Each process carries an identity of its own, so that stopping the attempt's docker
//     compose stops no query, and stopping a query stops nothing else. A crash leaves
//     queries to the reaping of the worker at the next start.
//  3. What is read of an answer is bounded (maxAnswer).
//  4. No secret leaves: what docker writes to stderr is redacted before anybody sees it.
//
// Why the docker program and not the engine's API: deploys run docker compose in any case,
// and its program finds the engine by contexts, environment and configuration files that a
// client of our own would have to read in the same way.
package engine
