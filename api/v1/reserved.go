package v1

// Metadata that only the server sets. It removes these names from requests, and preserves
// the stored values through every update.
const (
	// LabelIdempotencyKey narrows the search for the object that a request with an
	// Idempotency-Key has created: it is one of 16,384 values, by a digest of the key.
	LabelIdempotencyKey = Group + "/idempotency-key"
	// AnnotationIdempotencyRequest describes that request as JSON: digests of its key and
	// body, and the jobs it created together. A key is unique in a workspace, except among
	// the jobs of one request.
	AnnotationIdempotencyRequest = Group + "/idempotency-request"
)
