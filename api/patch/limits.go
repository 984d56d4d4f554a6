package patch

// Bounds of a patch and of what it makes.
const (
	// MaxOperations of a JSON patch: several times as many as a Job has fields.
	MaxOperations = 1000
	// MaxCopies is how many of them may copy. After each the result is measured, so that the
	// longest one grows to twice MaxResult at most.
	MaxCopies = 20
	// MaxDepth of a path, and of a merge patch.
	MaxDepth = 100
	// MaxResult is how many bytes of JSON an object may become: what the store takes.
	MaxResult = 3 << 19
)
