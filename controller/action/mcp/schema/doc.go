// Package schema checks the arguments and the answers of tools against the JSON Schemas
// that their MCP servers give.
//
// The library validates; this package reads schemas as servers write them, and says what
// is wrong with a value in the words and the paths of a job.
//
// # Schemas that are wrong
//
// A schema is the server's, and so is what is wrong with it: it keeps no job from calling
// the tool. Before a schema is compiled, its words of OpenAPI are read as they are meant
// (nullable, exclusiveMinimum: true), and what cannot be checked is left out of it:
// patterns that only JavaScript understands, references that lead out of it, and, one
// after the other, what the dialect's own schema refuses, such as a type that there is
// none of (repair.go). What is left out stands in Unchecked. A schema that cannot be used
// even so is not checked at all, and Unchecked says that.
//
// Nothing is ever loaded: a reference is followed within the schema only. Formats are
// remarks, as since 2019-09 they are by default.
//
// # Limits
//
// A schema that applies to one value in more than maxWeight ways is not checked, because
// one call would take for ever; nor is one that applies to itself without end. Numbers are
// compared as they are written, in exact arithmetic, and those whose exponent is beyond a
// float64's are read as the nearest float64, because they would not fit into memory.
package schema
