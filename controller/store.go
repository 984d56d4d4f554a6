package controller

import (
	"context"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Store is the part of a store that controllers use. A client of a store in another process
// offers as much.
type Store interface {
	Features() store.Features
	Get(ctx context.Context, key store.Key) (store.Record, error)
	List(ctx context.Context, opts store.ListOptions) (store.Page, error)
	Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error)
	UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error)
	Delete(ctx context.Context, key store.Key, pre store.Preconditions) (store.Record, error)
	Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error)
	Count(ctx context.Context, kind string) ([]store.Count, error)
}
