package action

import "context"

// Yielder is a Sink whose attempt can let other jobs run while it waits for something that
// is not its own work: the start of a server, or its turn.
type Yielder interface {
	// Yield gives the attempt's slot to other jobs. The function that it returns takes one
	// again, and waits for it until ctx ends; the attempt goes on with its work only after
	// that. The attempt keeps its concurrency key, its workspace's maximum and its limits in
	// time.
	Yield() (resume func(ctx context.Context) error)
}
