package v1

// Metadata that the server alone sets. It drops what a client sends under these names,
// and keeps what is there through every update.
const (
	// LabelIdempotencyKey narrows the search for the object that a request with an
	// Idempotency-Key has created: it is one of 16,384 values, by a digest of the key.
	LabelIdempotencyKey = Group + "/idempotency-key"
	// AnnotationIdempotencyRequest says, as JSON, what that request was: digests of its
	// key and of itself, and the jobs it created together. A key is unique in a workspace
	// but for jobs that one request created.
	AnnotationIdempotencyRequest = Group + "/idempotency-request"
)
