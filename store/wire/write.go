package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Create implements store.Store.
func (s *Store) Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error) {
	switch len(objs) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, fmt.Errorf("create %d objects: %w: through a server they are created one at a time", len(objs), store.ErrInvalid)
	}
	key := store.KeyOf(objs[0])
	kind, err := s.kindOf(key.Kind, store.ErrInvalid)
	if err == nil && kind.Namespaced != (key.Namespace != "") {
		err = fmt.Errorf("%w: namespace %q", store.ErrInvalid, key.Namespace)
	}
	var record store.Record
	if err == nil {
		record, err = s.write(ctx, http.MethodPost, client.Key{Kind: kind, Namespace: key.Namespace}.Path(), nil, kind, objs[0])
	}
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", key, err)
	}
	return []store.Record{record}, nil
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, obj v1.Object) (store.Record, error) {
	record, err := s.replace(ctx, obj, nil)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", store.KeyOf(obj), err)
	}
	return record, nil
}

// UpdateStatus implements store.Store.
func (s *Store) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	query := url.Values{}
	if d == store.Soft {
		query.Set("durability", "soft")
	}
	record, err := s.replace(ctx, obj, query, "status")
	if err != nil {
		return store.Record{}, fmt.Errorf("update the status of %s: %w", store.KeyOf(obj), err)
	}
	return record, nil
}

// replace stores obj, or a part of it, over the version it carries.
func (s *Store) replace(ctx context.Context, obj v1.Object, query url.Values, part ...string) (store.Record, error) {
	key := store.KeyOf(obj)
	kind, err := s.kindOf(key.Kind, store.ErrNotFound)
	if err != nil {
		return store.Record{}, err
	}
	if _, err := parseVersion(obj.GetResourceVersion()); err != nil {
		return store.Record{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return s.write(ctx, http.MethodPut, client.Key{Kind: kind, Namespace: key.Namespace, Name: key.Name}.Path(part...), query, kind, obj)
}

// write sends an object and returns what was stored.
func (s *Store) write(ctx context.Context, method string, path []string, query url.Values, kind v1.Kind, obj v1.Object) (store.Record, error) {
	body, err := json.Marshal(obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: encode: %w", store.ErrInvalid, err)
	}
	answer, err := s.send(ctx, client.Request{Method: method, Path: path, Query: query, Body: body, MediaType: "application/json"})
	if err != nil {
		return store.Record{}, err
	}
	record, _, err := recordOf(kind, answer)
	return record, err
}

// send sends a request that writes, once, and returns the answer.
func (s *Store) send(ctx context.Context, r client.Request) ([]byte, error) {
	bounded, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	response, err := s.client.Do(bounded, r)
	if err != nil {
		return nil, s.failed(ctx, err, true)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, s.failed(ctx, fmt.Errorf("read the server's answer: %w", err), true)
	}
	return answer, nil
}

// Delete implements store.Store. The server does not say what an object was when it
// removes it, so it is read before, and removed only if it is still that object.
func (s *Store) Delete(ctx context.Context, key store.Key, pre store.Preconditions) (store.Record, error) {
	before, err := s.Get(ctx, key)
	for err == nil {
		var after store.Record
		if after, err = s.deleteOnce(ctx, before, pre); err == nil {
			return after, nil
		}
		if pre != (store.Preconditions{}) || !errors.Is(err, store.ErrConflict) {
			break
		}
		refused, was := err, before
		if before, err = s.Get(ctx, key); err == nil && before.UUID() == was.UUID() {
			err = refused // for another reason than that another object has the name now
		}
	}
	return store.Record{}, fmt.Errorf("delete %s: %w", key, err)
}

func (s *Store) deleteOnce(ctx context.Context, before store.Record, pre store.Preconditions) (store.Record, error) {
	key := before.Key()
	kind, err := s.kindOf(key.Kind, store.ErrNotFound)
	if err != nil {
		return store.Record{}, err
	}
	uid := before.UID()
	if pre.UID != "" {
		uid = pre.UID
	}
	opts := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	if pre.ResourceVersion != 0 {
		version := strconv.FormatUint(pre.ResourceVersion, 10)
		opts.Preconditions.ResourceVersion = &version
	}
	body, err := json.Marshal(opts)
	if err != nil {
		return store.Record{}, err
	}
	answer, err := s.send(ctx, client.Request{
		Method: http.MethodDelete, Path: client.Key{Kind: kind, Namespace: key.Namespace, Name: key.Name}.Path(), Body: body, MediaType: "application/json",
	})
	if err != nil {
		return store.Record{}, err
	}
	if after, _, err := recordOf(kind, answer); err == nil {
		return after, nil // its finalizers keep it
	}
	return before, nil
}
