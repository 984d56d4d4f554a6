// Package catalog is the tools that one server offers, and the check of a job's arguments
// against a tool's input schema before the call.
//
// # Invariants
//
//  1. A list of tools is used as far as it can be read. A tool that cannot be read is left
//     out. A cursor that was there before ends the list, and so do 1,000 pages or 16 MiB.
//  2. Tools that the operator's file keeps from jobs are not in the catalog.
//  3. Arguments are sent as the job has them, numbers as they are written. Only fields that
//     a schema requires and has a default for are added.
//  4. All violations are told at once, each with the job's field.
//  5. A schema, or a part of one, that cannot be used is a note, and no reason to refuse a
//     call: the server checks its arguments too.
package catalog
