// Package schedule decides which queued job runs next. It is pure: it holds queued
// jobs in memory, reads no clock and starts nothing.
//
// # Order
//
// Higher priority first; equals in the order in which they were created (their uid,
// UUID version 7, sorts by creation). A job's place changes only when its own
// priority changes, so nothing ever overtakes an equal.
//
// # Cost
//
// Upsert, Remove and Pop cost O(log n) of the queued jobs; nothing scans them but
// Position, which answers a person's question.
package schedule
