package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StatusError is a refusal of the server.
type StatusError struct {
	Status metav1.Status
}

// Error is the server's own message.
func (e *StatusError) Error() string { return e.Status.Message }

// UnreachableError is a request without an answer.
type UnreachableError struct {
	Server string
	Err    error
}

// Error names the server and what to do.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from the server at %s: %v; is it running (jobwright serve), or is another meant (--server)?", e.Server, e.Err)
}

// Unwrap is the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// IsNotFound reports whether the server has no such object.
func IsNotFound(err error) bool { return hasReason(err, metav1.StatusReasonNotFound) }

// IsUnauthorized reports whether the server does not know the sender.
func IsUnauthorized(err error) bool { return hasReason(err, metav1.StatusReasonUnauthorized) }

// IsConflict reports whether the object has changed since it was read.
func IsConflict(err error) bool { return hasReason(err, metav1.StatusReasonConflict) }

func isExpired(err error) bool {
	return hasReason(err, metav1.StatusReasonExpired) || hasReason(err, metav1.StatusReasonGone)
}

func hasReason(err error, reason metav1.StatusReason) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status.Reason == reason
}

// refusal reads the answer of a refusal.
func refusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what was read is all there is to tell
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Message != "" {
		return &StatusError{Status: status}
	}
	text := strings.TrimSpace(string(body))
	if text == "" {
		text = "no further word"
	}
	return &StatusError{Status: metav1.Status{
		Status: metav1.StatusFailure, Code: int32(response.StatusCode),
		Message: fmt.Sprintf("the server answered %s: %s", response.Status, text),
	}}
}
