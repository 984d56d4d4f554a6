package v1

// Metadata that the server alone sets. It drops what a client sends under these names,
// and keeps what is there through every update.
const (
	// LabelIdempotencyKey is a digest of the Idempotency-Key of the request that created
	// the object. It is unique in a workspace but for jobs that one request created.
	LabelIdempotencyKey = Group + "/idempotency-key"
	// AnnotationIdempotencyRequest says, as JSON, what that request was: a digest of it, and the
	// jobs it created together.
	AnnotationIdempotencyRequest = Group + "/idempotency-request"
)
