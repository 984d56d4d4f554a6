package strict

// Bounds of one document.
const (
	// maxDepth is how many maps and lists may lie within each other. Schemas and syntax
	// trees that tools take are some dozens deep.
	maxDepth = 500
	// maxNumber is how many characters a number may have; a float64 written out in full
	// has 1,077 at most.
	maxNumber = 1100
	// maxAliased is how many bytes of JSON aliases and merge keys may add to what stands in
	// the text. An object's stored form is bounded by the same order of magnitude.
	maxAliased = 1 << 20
	// MaxProblems is how many problems are reported; the rest is counted.
	MaxProblems = 100
)

// maxMerged is how many members merge keys may copy, before their bytes are counted: each
// takes 200 bytes of memory.
const maxMerged = 50_000
