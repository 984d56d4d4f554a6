package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/store"
)

// failed is err, of a call with ctx, in the words of the contract. wrote: the request
// changes something.
func (s *Store) failed(ctx context.Context, err error, wrote bool) error {
	lost := store.ErrUnavailable // of a request that may have reached the server
	if wrote {
		lost = store.ErrUnknown
	}
	var refused *client.StatusError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%w: %w", ofStatus(refused.Status, lost), err)
	case ctx.Err() != nil:
		return ctx.Err()
	case wrote && !neverSent(err):
		return fmt.Errorf("%w: %w", lost, err)
	case s.ctx.Err() != nil:
		return store.ErrClosed
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// ofStatus is the contract's error for a refusal; lost: that for one which does not tell
// whether the request was carried out.
func ofStatus(status metav1.Status, lost error) error {
	switch code := int(status.Code); {
	case code == http.StatusNotFound:
		return store.ErrNotFound
	case code == http.StatusConflict && status.Reason == metav1.StatusReasonAlreadyExists:
		return store.ErrExists
	case code == http.StatusConflict:
		return store.ErrConflict
	case code == http.StatusGone:
		return store.ErrExpired
	case code == http.StatusInsufficientStorage:
		return store.ErrFull
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable, code == http.StatusBadGateway:
		return store.ErrUnavailable
	case code >= http.StatusInternalServerError:
		return lost
	}
	return store.ErrInvalid
}

// neverSent reports whether err came before anything could have reached the server.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
