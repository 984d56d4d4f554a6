// Package revisions keeps the good states of compose projects: for each, the compose
// file as compose rendered it, with the images pinned that really ran, and who deployed
// it.
//
// # On disk
//
//	DIR/                      0700
//	  shop/                   the project, 0700
//	    3.yaml                0600, a compose file:
//	      # jobwright revision sha256:<of all that follows this line>
//	      name: shop
//	      services: …
//	      x-jobwright: …      what is known of it
//	    4.yaml
//
// The folder is the project's and not the workspace's: the engine knows projects only,
// so what ran last is one thing, whoever deployed it. Whom a revision belongs to stands
// in it, and whoever asks for a workspace sees that workspace's alone.
//
// # Invariants
//
//  1. A revision is written whole or not at all: temporary file, fsync, rename, fsync of
//     the folder. What a crash leaves half done has another name and is removed by the
//     next write.
//  2. Numbers rise and are not used twice while any revision of the project is there.
//  3. A file that is not what was written is refused, by checksum, and never skipped in
//     silence for an older one.
//  4. At most Max revisions a project are kept; the newest go last.
//  5. No value of a secret is in a revision: the compose file has ${VARIABLE}s, whose
//     names say which secret is meant (Variable).
//  6. Readers get the compose file with values masked (viewer): those of environment
//     variables, the contents of configs and secrets, and what the deploy read in private
//     files (Revision.Private). The values themselves stay in the file, for a rollback.
package revisions
