package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"jobwright.dev/api/server/auth"
	"jobwright.dev/api/server/deadline"
	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// statusClientGone is the status code that nginx logs for a request whose client
// disconnected before the answer.
const statusClientGone = 499

// statusOf is the answer to err about an object: the one place where errors become
// status codes.
func statusOf(err error, kind v1.Kind, name string) metav1.Status {
	resource := schema.GroupResource{Group: v1.Group, Resource: kind.Resource}
	var known apierrors.APIStatus
	var tooLarge *http.MaxBytesError
	var unplanned unplannedError
	var seeds *seedError
	var body deadline.BodyError
	switch {
	case errors.As(err, &known):
		return known.Status()
	case errors.As(err, &seeds):
		return metav1.Status{Status: metav1.StatusFailure, Code: int32(seeds.code), Message: err.Error()}
	case errors.As(err, &tooLarge):
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body is limited to %d bytes", tooLarge.Limit)).Status()
	case errors.As(err, &body) && body.Timeout():
		return failure(http.StatusRequestTimeout, "RequestTimeout", body)
	case errors.As(err, &body):
		return failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, body)
	case errors.Is(err, store.ErrNotFound):
		return apierrors.NewNotFound(resource, name).Status()
	case errors.Is(err, store.ErrNoWorkspace):
		return failure(http.StatusNotFound, metav1.StatusReasonNotFound, err)
	case errors.Is(err, store.ErrNotEmpty):
		return apierrors.NewConflict(resource, name, store.ErrNotEmpty).Status()
	case errors.Is(err, store.ErrExists):
		return apierrors.NewAlreadyExists(resource, name).Status()
	case errors.Is(err, store.ErrConflict):
		return apierrors.NewConflict(resource, name, store.ErrConflict).Status()
	case errors.Is(err, store.ErrExpired):
		return apierrors.NewResourceExpired(err.Error()).Status()
	case errors.Is(err, store.ErrInvalid):
		return apierrors.NewBadRequest(err.Error()).Status()
	case errors.Is(err, store.ErrFull):
		return failure(http.StatusInsufficientStorage, "InsufficientStorage", err)
	case errors.Is(err, store.ErrUnknown):
		return failure(http.StatusGatewayTimeout, metav1.StatusReasonTimeout, store.ErrUnknown)
	case errors.Is(err, store.ErrUnavailable):
		return away(store.ErrUnavailable) // the cause may name hosts; it stands in the log
	case errors.Is(err, store.ErrClosed):
		return away(err)
	case errors.Is(err, store.ErrReadOnly):
		return failure(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err)
	case errors.As(err, &unplanned):
		return failure(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err)
	case errors.Is(err, context.Canceled):
		return failure(statusClientGone, "ClientClosedRequest", err) // nobody reads it, and nothing has failed
	default:
		return failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, err)
	}
}

// away refuses a request because the store is unavailable. The request has changed nothing
// and may be repeated.
func away(err error) metav1.Status {
	status := failure(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err)
	status.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterAway}
	return status
}

// retryAfterAway is the Retry-After, in seconds, of an unavailable store: about as long as
// a database takes to fail over, or a server to start.
const retryAfterAway = 5

func failure(code int32, reason metav1.StatusReason, err error) metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: public.ErrorText(err)}
}

// errUnauthenticated refuses a request that no Authenticator recognizes.
var errUnauthenticated = apierrors.NewUnauthorized("the request has no credentials that this server knows")

// refuse answers with err in the shape of the route.
func (s *Server) refuse(w http.ResponseWriter, r *request, err error) {
	if forged, ok := errors.AsType[*auth.MisdirectedError](err); ok {
		writeText(w, http.StatusForbidden, forged.Reason+"\n")
		return
	}
	status := statusOf(err, r.route.Kind, r.name)
	if status.Code >= http.StatusInternalServerError {
		s.opts.Log.Error(err, "a request failed", "kind", r.route.Kind.Name, "name", r.name, "code", status.Code)
	}
	status = s.public.Status(status)
	retryAfter(w, status)
	switch r.route.shape {
	case shapeSeed:
		writeSeedRefusal(w, err, status)
	case shapeText:
		writeText(w, int(status.Code), status.Message+"\n")
	case shapeStatus:
		status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		writeJSON(w, int(status.Code), status)
	}
}

// retryAfter copies the delay in a refusal's details into the header Retry-After, for
// plain HTTP clients.
func retryAfter(w http.ResponseWriter, status metav1.Status) {
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
}

// seedRefusal is a refusal of the seed's interface.
type seedRefusal struct {
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
	Message string `json:"message,omitempty"`
}

// seedError is a refusal that only the seed's interface has.
type seedError struct {
	code int
	seedRefusal
}

// Error implements error.
func (e *seedError) Error() string {
	return strings.TrimSuffix(e.seedRefusal.Error+": "+e.Message, ": ")
}

// writeSeedRefusal answers with err, which status is made from, in the seed's shape.
func writeSeedRefusal(w http.ResponseWriter, err error, status metav1.Status) {
	if own, ok := errors.AsType[*seedError](err); ok {
		writeJSON(w, own.code, own.seedRefusal)
		return
	}
	code, refusal := int(status.Code), seedRefusal{Message: status.Message}
	switch {
	case status.Reason == metav1.StatusReasonInvalid:
		code, refusal.Error = http.StatusBadRequest, "invalid_payload"
	case code == http.StatusUnauthorized:
		refusal.Error = "unauthorized"
	case code == http.StatusForbidden:
		refusal.Error = "forbidden"
	case code == http.StatusNotFound:
		refusal.Error, refusal.Message = "not_found", ""
	case code == http.StatusConflict:
		refusal.Error = "conflict"
	case code == http.StatusRequestEntityTooLarge:
		refusal.Error = "too_large"
	case code == http.StatusTooManyRequests:
		refusal.Error = "too_many_requests"
	case status.Reason == reasonKeyReused:
		refusal.Error = "idempotency_key_reused"
	case code == http.StatusUnsupportedMediaType:
		refusal.Error = "unsupported_media_type"
	case code == http.StatusInsufficientStorage:
		refusal.Error = "storage_full"
	case code == http.StatusServiceUnavailable:
		refusal.Error = "unavailable"
	case code == http.StatusGatewayTimeout:
		refusal.Error = "unknown_outcome"
	case code < http.StatusInternalServerError:
		refusal.Error = "bad_request"
	default:
		refusal.Error = "internal"
	}
	writeJSON(w, code, refusal)
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "encode the answer: "+err.Error()+"\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // the client is gone; nobody is left to tell
}

// writeRecord answers with one object as it is stored.
func writeRecord(w http.ResponseWriter, code int, record store.Record) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(record.AppendJSON(make([]byte, 0, record.Len()+1)), '\n'))
}
