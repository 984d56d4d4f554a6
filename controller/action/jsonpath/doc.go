// Package jsonpath finds values in JSON and compares them, without changing a number.
//
// A path is a JSONPath as kubectl has it; braces, "$" and the first dot may be left out.
// Parsing is that of k8s.io/client-go. Evaluation is not: client-go's works by reflection
// over values whose numbers are float64, in which 9007199254740993 and 9007199254740992
// are the same, knows no limit, and fails a filter as a whole when one element lacks the
// field that it asks for.
//
// # Rules
//
//  1. A number stays the text that it was (json.Number). Two numbers are equal when they
//     are the same number, however they are written: 1, 1.0 and 10e-1.
//  2. A member that comes twice, text behind the value, and nesting deeper than maxDepth
//     are errors: what such a body means depends on who reads it.
//  3. An object's members are visited in the order of their names.
//  4. A path takes a bounded number of steps over a value; lists of names, range and a
//     second descent (..) are refused.
//  5. An element that lacks the field of a filter does not match.
package jsonpath
