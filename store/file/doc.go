// Package file is the default engine: the objects lie in jobs.json, a v1 List, and a
// journal beside it holds what is newer.
//
//	DATA/
//	├── jobs.json         every object at one version, one a line; readable by kubectl and jq
//	├── jobs.json.tmp     while jobs.json is rewritten
//	├── journal/          segments, see package journal
//	└── lock              names the process that has the store open, which holds the
//	                      locks of the folder and of this file
//
// # jobs.json
//
//	{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"812"},"items":[
//	{"apiVersion":"jobwright.dev/v1","kind":"Workspace","metadata":{…},"spec":{…}},
//	{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{…},"spec":{…},"status":{…}}
//	],"checkpoint":{"format":1,"journal":7,"sequence":95,"objects":2,"written":"…","chunks":"9af01c2e","checksum":"53b8e0a1"}}
//
// Workspaces come first, so that the file can be applied as it is, and objects of a
// kind stand in the order of their creation, so that two versions diff well. The
// member checkpoint, which readers of a List ignore, names the last block of
// the journal that the file covers and the segment from which the journal is needed,
// and carries checksums: chunks one for each
// mebibyte before it, checksum one for everything before its own digits. A file
// whose checksum fails is refused: an edit and damage look alike. One of which every
// object is valid is taken over when that is asked for (Options.AcceptEdited). written
// is also the file's time of modification: when it agrees, damage is likelier.
//
// # Records of the journal
//
//	'P' encoding                                 the object is this now
//	'D' version (8 bytes) kind 0 namespace 0 name 0   the object is gone
//
// # Write path
//
//	Create, Update … ─► decide (wmu) ─► batch ─► leader: write, fdatasync ─► publish (mu) ─► reply
//
// A write is decided against the latest state, which includes what waits for the disk
// (overlay), takes its version, and joins the batch. The first to find no leader is
// one: it writes the batch as one block of the journal, publishes it to readers and
// watchers, and has a goroutine lead the next batch if writers wait for it. A soft write is published at once when
// nothing durable is under way before it, and otherwise rides along.
//
// # In memory
//
// An object is an entry of 80 bytes and its place in a few orders (index); the
// encoding is read from jobs.json or the journal when it is asked for and checked
// against the entry's checksum. The ring of changes (package watchring) alone holds encodings, 32
// megabytes under load and one at rest; an entry whose event is in it reads from there.
//
// # Checkpoint
//
// jobs.json is rewritten when the journal has outgrown it, and half a second after the
// last write, or later where rewriting takes long: at most one part in fifty of the
// time. A checkpoint clones the index between two commits (which costs nothing: its
// trees copy on write); from there it runs beside readers and writers. It starts no
// segment of its own: recovery skips the blocks that jobs.json covers.
//
//	rewrite    write jobs.json.tmp ─► fsync ─► rename ─► fsync folder ─► remove old segments
//	           before the rename: the old jobs.json and all segments, as if nothing had been
//	           after it: the new one, and segments that it does not need are ignored and removed
//
// # Invariants
//
//  1. A version that a reader has seen is never given to another change. Soft writes
//     may be lost with their versions, so an opening after a crash skips maxSoft of
//     them; a watch from one of those answers ErrExpired.
//  2. Readers and watchers see changes in the order of their versions.
//  3. What is published is on disk, soft writes excepted; and those are on disk before any
//     later durable write is.
//  4. A batch that fails takes with it everything that was decided on top of it. When
//     the journal could not be written or synced, the store is read-only until it has
//     written over what may be there of the failed batch, and synced that (heal.go);
//     when only the new segment could not be created, it goes on as soon as there is
//     space.
//  5. Open never changes a file that it refuses, and never starts empty over one that
//     is missing: a journal that does not begin with its first segment, or whose first
//     segment began with versions used up, needs jobs.json; and a jobs.json needs the
//     segment that it names.
//  6. An entry's encoding is in memory, or lies in a file that some sourceSet holds
//     open.
package file
