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
//	    files/<hash>/         files beside the compose file that revisions hold, with the
//	                          modes and owners that services read them by
//	    restored.compose      the compose file of the last rollback that needed such files
//	  .owners/, .under-way/, .undoing/   whose projects are, and what has begun and not ended
//	  .owners/.judged         the records of owners are complete (MarkJudged)
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
//  7. Files of configs, secrets and binds below the compose root belong to a revision: a
//     deploy with another content is another revision (File). Folders that services may
//     write to hold data and are not kept; nor is what is larger than maxKeptBytes.
package revisions
