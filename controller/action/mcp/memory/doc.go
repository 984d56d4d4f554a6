// Package memory keeps in a folder what must outlive the worker: the tasks that attempts
// have begun on servers behind HTTP, and the marks of attempts that have not called their
// tool yet.
//
// # Invariants
//
//  1. A task is on disk before its end is waited for, and its file is gone when its attempt
//     has an outcome.
//  2. A mark is on disk before a server is started for its attempt, and gone, on disk,
//     before the tool is called. So whoever finds a mark knows that the tool was not called.
//  3. The name of each file is its job's uid; no file is outside of the folder.
package memory
