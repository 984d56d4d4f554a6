// Package vault keeps the tokens of MCP servers in a folder, encrypted with the operator's
// key: one file for each server.
//
//	{"version": 1,
//	 "server": …, "issuer": …, "tokenEndpoint": …, "client": …,   whose token it is
//	 "key": …, "salt": …, "usedUp": …, "sealed": …}
//
// # Invariants
//
//  1. Write returns when the file is on the disk and whole (package filedb); a crash leaves
//     the old file or the new one. Files have mode 0600, the folder 0700.
//  2. What is sealed is encrypted and authenticated by AES-256-GCM. The key of a file is
//     derived by HKDF-SHA256 from the operator's key and a salt that is new with each
//     write, so no number of writes wears a key out.
//  3. The clear members of the file are authenticated with it (additional data): a file that
//     is moved to another server, issuer, token endpoint or client is not read.
//  4. "usedUp" is a salted digest of the refresh token of the operator's file, if the sealed
//     one has replaced it. It can be compared without a key: sending the old token again
//     makes authorization servers revoke the new one (RFC 9700, section 4.14.2).
//  5. A file that cannot be read is an error that says why, and never a panic. Nothing of a
//     key, a token or a folder's path is in an error.
//
// # Keys
//
// The operator's key file has one key a line. The first key seals, and all of them open, so a
// key is replaced by writing the new one above the old one; the old line can go when each
// token was written once more. "key" in a file is a name derived from the key: it tells a
// file of another key from a damaged one.
//
// A key is a random text, not a password: nothing is done to make guessing slow, and keys of
// fewer than 32 characters are refused. The key is read from a file and never from the
// environment, which MCP servers and docker compose inherit.
//
// # What it does not protect from
//
// Who can read both the data folder and the key has the tokens, and so has who can read the
// memory of the server. An old file that is put back is read: its refresh token may be used
// up at the authorization server.
package vault
