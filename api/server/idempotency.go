package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const (
	// IdempotencyKey is the header that makes a creation safe to repeat.
	IdempotencyKey = "Idempotency-Key"
	// IdempotencyReplayed is the header of an answer that is repeated.
	IdempotencyReplayed = "Idempotency-Replayed"
	// maxIdempotencyKey is what the services that made the header known allow.
	maxIdempotencyKey = 255
	// reasonKeyReused refuses a request whose key belongs to a different request.
	reasonKeyReused metav1.StatusReason = "IdempotencyKeyReused"
)

// keyBuckets is the number of values of the key label. One value per key would cost the
// label index a kilobyte per job. With buckets the index of a workspace stays below 16
// MiB, and finding a key among a million jobs reads 61 records.
const keyBuckets = 1 << 14

// keyClaim is the exclusive use of an Idempotency-Key by one request; nil: the request has
// no key.
type keyClaim struct {
	// key is a digest of the key; request is a digest of the address and the body.
	key, request string
	// bucket is the value of the key label.
	bucket string
	// made is an object that an earlier request with this key created; nil: there is none.
	made *store.Record
	// release lets the next request with the key go on.
	release func()
}

// keyMark is the annotation by which an object identifies the request that created it.
type keyMark struct {
	Key     string `json:"key"`
	Request string `json:"request"`
	// First and Jobs are the name of the first of several jobs and their number; unset:
	// the request has created this object alone.
	First string `json:"first,omitempty"`
	Jobs  int    `json:"jobs,omitempty"`
}

// claimKey claims the request's key in its workspace (none: among the objects of the
// cluster) until end. A request with the same key waits here, so that it finds what this
// one creates.
func (s *Server) claimKey(r *request) (*keyClaim, error) {
	workspace := r.workspace
	header := r.Header[IdempotencyKey]
	if header == nil || r.dry {
		return nil, nil
	}
	key, err := readIdempotencyKey(header)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	digest := sha256.Sum256([]byte(key))
	c := &keyClaim{
		key:     base64.RawURLEncoding.EncodeToString(digest[:]),
		request: fingerprint(r, body),
		bucket:  fmt.Sprintf("%04x", binary.BigEndian.Uint16(digest[:])%keyBuckets),
	}
	if c.release, err = s.keys.acquire(r.Context(), workspace+"/"+c.key); err != nil {
		return nil, err
	}
	if err := s.findMade(r.Context(), c, workspace); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// readIdempotencyKey validates the header and returns the key, without the quotes that the
// IETF's draft requires.
func readIdempotencyKey(header []string) (string, error) {
	key := header[0]
	if n := len(key); n > 2 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	printable := !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(header) > 1 || key == "" || len(key) > maxIdempotencyKey || !printable {
		return "", apierrors.NewBadRequest(fmt.Sprintf("%s: must be one key of 1 to %d printable ASCII characters, such as a UUID; this request has %d of %d bytes",
			IdempotencyKey, maxIdempotencyKey, len(header), len(key)))
	}
	return key, nil
}

// fingerprint is a digest of a request's address and body. Bodies that are equal as JSON
// values have equal fingerprints.
func fingerprint(r *request, body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err == nil && !decoder.More() {
		if canonical, err := json.Marshal(value); err == nil {
			body = canonical
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s", r.URL.Path, body)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// findMade looks up an object that was created with the key, and refuses a request that
// differs from the one that created it. The label index has an object from the moment it
// is stored, also after a crash.
func (s *Server) findMade(ctx context.Context, c *keyClaim, workspace string) error {
	for _, kind := range s.opts.Kinds {
		if kind.Namespaced != (workspace != "") {
			continue
		}
		page, err := s.opts.Store.List(ctx, store.ListOptions{
			Kind: kind.Name, Namespace: workspace, Labels: labels.SelectorFromSet(labels.Set{v1.LabelIdempotencyKey: c.bucket}),
		})
		if err != nil {
			return err
		}
		for _, record := range page.Items {
			if !record.Contains(c.key) {
				continue
			}
			mark, err := s.markOf(record)
			if err != nil {
				return err
			}
			if mark.Key != c.key {
				continue
			}
			if mark.Request != c.request {
				return keyReused(record)
			}
			c.made = &record
			s.metrics.replayed.WithLabelValues(workspace).Inc()
			return nil
		}
	}
	return nil
}

// keyReused refuses a request whose key a different request has used.
func keyReused(made store.Record) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: reasonKeyReused,
		Message: fmt.Sprintf("%s: another request has used this key to create %s; repeat that request, or send a key of its own with this one",
			IdempotencyKey, made.Key()),
	}}
}

func (s *Server) markOf(record store.Record) (keyMark, error) {
	var mark keyMark
	obj, err := record.Object(s.opts.Kinds)
	if err != nil {
		return mark, err
	}
	text := obj.GetAnnotations()[v1.AnnotationIdempotencyRequest]
	if text == "" {
		return mark, nil // of a file that was edited by hand
	}
	if err := json.Unmarshal([]byte(text), &mark); err != nil {
		return mark, fmt.Errorf("annotation %s of %s: %w", v1.AnnotationIdempotencyRequest, record.Key(), err)
	}
	return mark, nil
}

// repeated is an object that an earlier request with the key created; false: there is
// none.
func (c *keyClaim) repeated() (store.Record, bool) {
	if c == nil || c.made == nil {
		return store.Record{}, false
	}
	return *c.made, true
}

// mark labels an object with its key and request, so that a repeated request finds it.
// first and n are set for one of several jobs.
func (c *keyClaim) mark(obj v1.Object, first string, n int) {
	if c == nil {
		return
	}
	text, _ := json.Marshal(keyMark{Key: c.key, Request: c.request, First: first, Jobs: n}) // strings and a number
	obj.SetLabels(with(obj.GetLabels(), v1.LabelIdempotencyKey, c.bucket))
	obj.SetAnnotations(with(obj.GetAnnotations(), v1.AnnotationIdempotencyRequest, string(text)))
}

// context is the context of a write. A write with a key survives its client's
// disconnection; otherwise the next request would miss an object that is still being
// written.
func (c *keyClaim) context(ctx context.Context) context.Context {
	if c == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// end lets the next request with the key go on.
func (c *keyClaim) end() {
	if c != nil && c.release != nil {
		c.release()
	}
}

// keyLocks serialize requests with the same key. They hold only the keys that are in use.
// A second server on the same store would need a lock in the store; the file engine
// excludes a second server.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	turn chan struct{} // holds one token
	n    int           // who has it or waits
}

// acquire waits for the key, or until ctx ends.
func (l *keyLocks) acquire(ctx context.Context, key string) (release func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*keyLock{}
	}
	lock := l.held[key]
	if lock == nil {
		lock = &keyLock{turn: make(chan struct{}, 1)}
		lock.turn <- struct{}{}
		l.held[key] = lock
	}
	lock.n++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if lock.n--; lock.n == 0 {
			delete(l.held, key)
		}
	}
	select {
	case <-lock.turn:
		return func() {
			lock.turn <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
