// Package strict reads JSON and YAML and loses nothing of either: every text that a
// person or a program hands in is read here, whether it comes over HTTP, from a file of
// a command or from the hand-edited jobs.json, so that all of them accept and refuse the
// same texts in the same words.
//
//	text → JSON, YAML or Documents → Document → Decode or Object → a Go value
//
// # Rules
//
//  1. YAML is read as JSON. A plain scalar is null, a boolean or a number only if all
//     YAML readers agree and JSON can write it; numbers are kept as written. What YAML
//     1.1 and 1.2 read differently (no, on, y, 0123, 1_000) and what JSON cannot write
//     (0x1F, +1, .5, .inf) is refused with its line, unless it is quoted. Dates and times
//     are text. A field of type bool takes yes and no, as kubectl does.
//  2. A key is a string. A key that YAML reads as a boolean, a number or null is refused:
//     {n: 2} means {"false": 2} to a YAML 1.1 reader.
//  3. A key that stands twice, an unknown field, a value of a wrong type and a tag other
//     than those of JSON's types are refused. Names are compared exactly; the refusal of
//     an unknown field names the nearest known one ([Nearest]).
//  4. All problems are reported at once, in the text's order, each with its line and the
//     path of its field, at most [MaxProblems] of them.
//  5. Every input is bounded before it is expanded: depth, the length of a number, and
//     what aliases and merge keys add. The caller bounds the length of the text.
//  6. The text is UTF-8; a byte order mark at its start is passed over. Half a surrogate
//     pair (\ud800) is kept where any value is taken, and is no text anywhere else.
//  7. JSON without problems is decoded without a syntax tree. What that accepts, the tree
//     accepts too; the tree is made to say what is wrong and where.
//
// # Parsers
//
// JSON is tokenized by jsontext, the syntax layer of the coming encoding/json/v2: it
// checks UTF-8 and surrogates, which encoding/json replaces silently, and knows offsets.
// YAML is parsed by go.yaml.in/yaml/v4, the version that the YAML organization develops
// (v2 and v3 receive security fixes only): its errors carry positions, and its nodes keep
// style, tag, line and unexpanded aliases. sigs.k8s.io/yaml, which writes our YAML, reads
// through maps of Go values, where {n: 2}, lines and the text of a number are lost
// already. Files that MCP clients share (mcp.json) are JSON with comments; package
// controller/action/mcp/config reads those with positions of its own. Only the syntax tree is the libraries'; what a scalar means is decided in
// scalar.go.
package strict
