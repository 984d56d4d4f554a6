package patch

// Bounds of a patch and of what it makes.
const (
	// maxOperations of a JSON patch: several times as many as a Job has fields.
	maxOperations = 1000
	// maxCopies is how many of them may copy. After each the result is measured, so that the
	// longest one grows to twice maxResult at most.
	maxCopies = 20
	// maxDepth of a path, and of a merge patch.
	maxDepth = 100
	// maxResult is how many bytes of JSON an object may become: what the store takes.
	maxResult = 3 << 19
)
