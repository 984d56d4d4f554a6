// Package rollback keeps what a deploy found good as a revision of its project, and makes a
// project what one of its revisions says.
//
// # Rules
//
//  1. A revision is the project as it runs: what the deploy covered as rendered, each service
//     pinned to the ID of the image that its containers run, and what it did not cover as in
//     the revision before. Tags may move; a tag of ours (jobwright-kept) holds the ID, so
//     that it is not pruned. An image that is gone all the same is pulled by its digest.
//  2. Restore compares first, by configuration hash, image, number and state of the
//     containers, and touches only services that differ: a database that the failed deploy
//     left alone is not restarted. Services that only the failed deploy had are removed, as
//     long as their containers were made since the job started; networks and volumes stay.
//  3. Files beside the compose file that are not as in the revision any more are mounted from
//     the revision's copies; the project's folder is not touched. What the revision does not
//     hold is said.
//  4. What was cut off is tried once more, when the engine answers again.
//  5. What was brought back is judged as every deploy is (package health): a revision that
//     was good once need not be good for ever.
//
// Why images by ID and not a registry's digest: images that were built here, and those of
// hosts without a registry, have none. Why not the engine's own tags: they move.
package rollback
