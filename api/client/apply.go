package client

import (
	"context"
	"maps"

	v1 "jobwright.dev/api/v1"
)

// Applied is the outcome of an apply.
type Applied string

// The outcomes of an apply.
const (
	Created    Applied = "created"
	Configured Applied = "configured"
	Unchanged  Applied = "unchanged"
)

// applyTries is how often an apply starts over when the object changes meanwhile.
const applyTries = 5

// Apply creates the object, or replaces its spec, labels and annotations by those of obj.
// Labels and annotations that obj does not name stay; so does spec.cancel, which is an
// operation and not part of a manifest.
func (c *Client) Apply(ctx context.Context, obj v1.Object) (Applied, v1.Object, error) {
	key, err := c.keyOf(obj)
	if err != nil {
		return "", nil, err
	}
	for try := 1; ; try++ {
		current, err := c.Get(ctx, key)
		if IsNotFound(err) {
			created, err := c.Create(ctx, obj)
			return Created, created, err
		}
		if err != nil {
			return "", nil, err
		}
		updated, err := c.Update(ctx, merge(key.Kind, current, obj))
		if IsConflict(err) && try < applyTries {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		if updated.GetResourceVersion() == current.GetResourceVersion() {
			return Unchanged, updated, nil
		}
		return Configured, updated, nil
	}
}

// merge is current with the spec, labels and annotations of obj.
func merge(kind v1.Kind, current, obj v1.Object) v1.Object {
	merged := kind.Merge(current, obj)
	merged.SetLabels(overlay(current.GetLabels(), obj.GetLabels()))
	merged.SetAnnotations(overlay(current.GetAnnotations(), obj.GetAnnotations()))
	return merged
}

func overlay(below, above map[string]string) map[string]string {
	if len(above) == 0 {
		return below
	}
	out := make(map[string]string, len(below)+len(above))
	maps.Copy(out, below)
	maps.Copy(out, above)
	return out
}
