package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// Event is one change of one object.
type Event struct {
	// Type is ADDED, MODIFIED or DELETED.
	Type   string
	Object v1.Object
}

// WatchOptions select what a watch delivers.
type WatchOptions struct {
	Namespace     string // empty: all workspaces
	Name          string // empty: all of them
	LabelSelector string
	// ResourceVersion is the version to continue after; empty: begin with the existing
	// objects, as ADDED.
	ResourceVersion string
}

// Watch delivers changes until ctx ends or the caller stops. It reconnects after a lost
// connection. If the server no longer has the version, the existing objects are delivered
// again as ADDED. Only the last pair may carry an error.
func (c *Client) Watch(ctx context.Context, kind v1.Kind, opts WatchOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		version := opts.ResourceVersion
		for failures := 0; ; {
			stopped, err := c.watchOnce(ctx, kind, opts, &version, func(e Event) bool {
				failures = 0
				return yield(e, nil)
			})
			if stopped {
				return
			}
			if isExpired(err) {
				version = ""
				err = nil
			}
			failures++
			if !again(ctx, err, failures) {
				yield(Event{}, err)
				return
			}
		}
	}
}

func (c *Client) watchOnce(ctx context.Context, kind v1.Kind, opts WatchOptions, version *string, yield func(Event) bool) (stopped bool, err error) {
	query := url.Values{"watch": {"true"}}
	if opts.Name != "" {
		query.Set("fieldSelector", "metadata.name="+opts.Name)
	}
	if opts.LabelSelector != "" {
		query.Set("labelSelector", opts.LabelSelector)
	}
	if *version != "" {
		query.Set("resourceVersion", *version)
	}
	response, err := c.do(ctx, http.MethodGet, Key{Kind: kind, Namespace: opts.Namespace}.path(), query, nil, "")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var line struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&line); err != nil {
			return false, broken(err)
		}
		if line.Type == "ERROR" {
			var status metav1.Status
			if err := json.Unmarshal(line.Object, &status); err != nil {
				return false, fmt.Errorf("watch %s: %w", kind.Resource, err)
			}
			return false, &StatusError{Status: status}
		}
		obj := kind.New()
		if err := json.Unmarshal(line.Object, obj); err != nil {
			return false, fmt.Errorf("watch %s: %w", kind.Resource, err)
		}
		*version = obj.GetResourceVersion()
		if line.Type != "BOOKMARK" && !yield(Event{Type: line.Type, Object: obj}) {
			return true, nil
		}
	}
}

// errBroken is the error of a stream that ended early.
var errBroken = errors.New("the connection was lost")

func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errBroken
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// tries is how often a stream reconnects in a row without an answer. The waits double from
// a tenth of a second to five seconds, half a minute in all, which covers a restart of the
// server.
const tries = 12

// again waits before a stream reconnects; false: err is final.
func again(ctx context.Context, err error, failures int) bool {
	if ctx.Err() != nil || err != nil && !errors.Is(err, errBroken) && (!isAway(err) || failures > tries) {
		return false
	}
	wait := time.NewTimer(min(100*time.Millisecond<<min(failures-1, 10), 5*time.Second))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isAway reports whether the server, or its store, is unavailable for the moment.
func isAway(err error) bool {
	var away *UnreachableError
	var refused *StatusError
	return errors.As(err, &away) || errors.As(err, &refused) && refused.Status.Code == http.StatusServiceUnavailable
}

// Wait returns the object as soon as done says so, or nil when it is deleted and done
// accepts that (it is called with nil then).
func (c *Client) Wait(ctx context.Context, key Key, done func(v1.Object) (bool, error)) (v1.Object, error) {
	if _, err := c.Get(ctx, key); IsNotFound(err) {
		if ok, doneErr := done(nil); ok || doneErr != nil {
			return nil, doneErr
		}
		return nil, err
	}
	for event, err := range c.Watch(ctx, key.Kind, WatchOptions{Namespace: key.Namespace, Name: key.Name}) {
		if err != nil {
			return nil, err
		}
		obj := event.Object
		if event.Type == "DELETED" {
			obj = nil
		}
		ok, err := done(obj)
		if ok || err != nil {
			return obj, err
		}
		if obj == nil {
			return nil, fmt.Errorf("%s %q was deleted", key.Kind.Singular, key.Name)
		}
	}
	return nil, ctx.Err()
}

// LogOptions select what of a log is read.
type LogOptions struct {
	Follow    bool
	TailLines int   // -1: everything
	Since     int64 // offset after which to go on
}

// LogLine is one line of a job's log.
type LogLine struct {
	Offset int64     `json:"offset"`
	Time   time.Time `json:"time"`
	Stream string    `json:"stream"`
	Text   string    `json:"text"`
}

// Logs delivers a job's log; with Follow until the server reports that the job has
// finished or was deleted. A stream that ends without this report reconnects. Only the
// last pair may carry an error.
func (c *Client) Logs(ctx context.Context, key Key, opts LogOptions) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		for failures := 0; ; {
			stopped, err := c.logOnce(ctx, key, &opts, func(line LogLine) bool {
				failures = 0
				return yield(line, nil)
			})
			if stopped || err == nil {
				return
			}
			failures++
			if !opts.Follow || !again(ctx, err, failures) {
				yield(LogLine{}, err)
				return
			}
		}
	}
}

func (c *Client) logOnce(ctx context.Context, key Key, opts *LogOptions, yield func(LogLine) bool) (stopped bool, err error) {
	query := url.Values{"follow": {strconv.FormatBool(opts.Follow)}}
	switch {
	case opts.Since > 0:
		query.Set("sinceOffset", strconv.FormatInt(opts.Since, 10))
	case opts.TailLines >= 0:
		query.Set("tailLines", strconv.Itoa(opts.TailLines))
	}
	response, err := c.do(ctx, http.MethodGet, key.path("log"), query, nil, "")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	reader := bufio.NewReader(response.Body)
	for {
		text, err := reader.ReadBytes('\n')
		if err != nil {
			return false, broken(err)
		}
		var line struct {
			LogLine
			End string `json:"end"` // set in the last line alone
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return false, fmt.Errorf("read the log: %w", err)
		}
		if line.End != "" {
			return false, nil
		}
		opts.Since = line.Offset
		if !yield(line.LogLine) {
			return true, nil
		}
	}
}
