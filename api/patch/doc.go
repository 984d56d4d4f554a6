// Package patch applies the patches that the API takes, a JSON merge patch (RFC 7396) and a
// JSON patch (RFC 6902), to an object's JSON.
//
// A patch of a kilobyte may describe gigabytes: copies that double, levels that a library
// parses once each. So a patch is bounded before it is applied, in its operations, copies
// and depth, and its result while it grows.
//
// Merge patches are applied to decoded values here, in one pass. The library of JSON patches
// has a merge of its own, which reads all that lies below a level once for each level above.
package patch
