// Package secrets has the values that jobs may name and nobody may read: where they come
// from, who may use them, and how they are kept out of everything that is written down.
//
// The operator's file (serve --secrets) maps names to where the values are:
//
//	db-password: {file: /run/secrets/db}      a file's content, without the last line end;
//	                                          relative to the folder of the operator's file
//	api-token:   {env: API_TOKEN}             a variable of the server's own environment
//	demo:        {value: only-for-demos, workspaces: [default]}
//	pay-token:   {file: pay, hosts: [pay.example.com, "*.pay.example.com"]}
//	                                          api_call jobs may send it to these hosts only; unset: to any
//
// # Invariants
//
//  1. A job refers to a secret by name; a value is looked up when an attempt starts, so
//     that a rotated one is used from the next attempt on.
//  2. An unknown name and one that is limited to other workspaces are answered alike:
//     with the names that this workspace may use.
//  3. No error of this package has a value in it.
//  4. A Redactor removes values in these forms: verbatim; escaped as JSON, YAML, URL, base64
//     or compose's $$; truncated by a table; single lines of a value that has several; split
//     over reads (Reader). Values of less than MinLength bytes are refused: to redact them
//     would redact half of every log.
//  5. A client learns nothing of the secrets of other workspaces by what is redacted: those
//     are replaced whole, never in part, and never within the client's own words.
//  6. Where the reader has a hand in the text, values are replaced as [Guarded]: whole ones
//     only, and none that the reader has written. A mask would tell which guess was right.
package secrets
