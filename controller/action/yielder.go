package action

import "context"

// Yielder is a Sink whose attempt can lend its slot to other jobs while the attempt waits for
// the start of a server or for its turn.
type Yielder interface {
	// Yield lends the attempt's slot to other jobs. The attempt continues its work only after
	// resume, which waits for a slot until ctx ends. Meanwhile the attempt keeps its
	// concurrency key, counts towards its workspace's maximum, and its time limits run on.
	Yield() (resume func(ctx context.Context) error)
}
