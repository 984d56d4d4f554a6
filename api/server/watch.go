package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// watch streams the changes of what its parameters select, one JSON value a line. Without
// a resourceVersion the stream begins with the objects that exist, as ADDED events.
func (s *Server) watch(w http.ResponseWriter, r *request) error {
	opts, err := listOptions(r)
	if err != nil {
		return err
	}
	ctx, cancel, err := watchContext(r)
	if err != nil {
		return err
	}
	defer cancel()
	stream := &eventStream{w: w, flusher: http.NewResponseController(w)}
	stream.bookmarks, _ = strconv.ParseBool(r.params().Get("allowWatchBookmarks"))
	since, err := s.watchStart(ctx, r.params().Get("resourceVersion"), opts, stream)
	if err != nil {
		return err
	}
	stream.begin()
	err = s.changes(ctx, store.WatchOptions{
		Kind: opts.Kind, Namespace: opts.Namespace, Name: opts.Name, Labels: opts.Labels, Since: since,
	}, stream)
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		stream.fail(s.public.Status(statusOf(err, v1.Kind{}, "")))
	}
	return nil
}

// changes streams events until ctx ends or the store fails for good. After an outage of
// the store it resumes after the last event.
func (s *Server) changes(ctx context.Context, opts store.WatchOptions, stream *eventStream) error {
	var patience patience
	for {
		last, err := s.changesOnce(ctx, opts, stream, &patience)
		if !patience.again(ctx, err) {
			return err
		}
		opts.Since = last
	}
}

// bookmarkInterval is the time between the bookmarks of an idle watch, as in the
// Kubernetes API.
const bookmarkInterval = time.Minute

// changesOnce runs one watch of the store. It returns the version up to which all changes
// were sent.
func (s *Server) changesOnce(ctx context.Context, opts store.WatchOptions, stream *eventStream, patience *patience) (uint64, error) {
	watch, err := s.opts.Store.Watch(ctx, opts)
	if err != nil {
		return opts.Since, err
	}
	defer watch.Close()
	for {
		stream.flush()
		events, err := nextUntil(ctx, watch, bookmarkInterval)
		opts.Since = watch.Progress()
		switch {
		case err == nil:
			patience.answered()
			err = stream.send(events)
		case errors.Is(err, context.DeadlineExceeded): // it is time for a bookmark
			if err = stream.bookmark(opts); err == nil {
				err = ctx.Err()
			}
		}
		if err != nil {
			return opts.Since, err
		}
	}
}

// nextUntil is watch.Next with a timeout, after which it returns context.DeadlineExceeded.
func nextUntil(ctx context.Context, watch store.Watch, timeout time.Duration) ([]store.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return watch.Next(ctx)
}

// watchContext is the request's context, bounded by timeoutSeconds.
func watchContext(r *request) (context.Context, context.CancelFunc, error) {
	text := r.params().Get("timeoutSeconds")
	if text == "" {
		text = "0"
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, nil, apierrors.NewBadRequest("timeoutSeconds must be a number of seconds, not " + public.Quote(text))
	}
	if seconds == 0 {
		ctx, cancel := context.WithCancel(r.Context())
		return ctx, cancel, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds)*time.Second)
	return ctx, cancel, nil
}

// watchStart returns the version to watch from. If the request has none, it first sends
// the existing objects.
func (s *Server) watchStart(ctx context.Context, version string, opts store.ListOptions, stream *eventStream) (uint64, error) {
	if version != "" && version != "0" {
		since, err := strconv.ParseUint(version, 10, 64)
		if err != nil {
			return 0, apierrors.NewBadRequest("resourceVersion must be a number, not " + public.Quote(version))
		}
		return since, nil
	}
	opts.Limit, opts.Continue, opts.Phases = 0, "", nil
	page, err := s.opts.Store.List(ctx, opts)
	if err != nil {
		return 0, err
	}
	events := make([]store.Event, 0, len(page.Items))
	for _, record := range page.Items {
		events = append(events, store.Event{Type: store.Added, Record: record})
	}
	stream.begin()
	return page.ResourceVersion, stream.send(events)
}

// eventStream writes watch events.
type eventStream struct {
	w       http.ResponseWriter
	flusher *http.ResponseController
	begun   bool
	buf     []byte
	// bookmarks: the client has asked for them.
	bookmarks bool
}

// begin sends the headers, once.
func (s *eventStream) begin() {
	if s.begun {
		return
	}
	s.begun = true
	s.w.Header().Set("Content-Type", "application/json;stream=watch")
	s.w.Header().Set("Cache-Control", "no-store")
	s.w.WriteHeader(http.StatusOK)
}

func (s *eventStream) flush() { _ = s.flusher.Flush() } // the next write tells when the client is gone

func (s *eventStream) send(events []store.Event) error {
	s.buf = s.buf[:0]
	for _, event := range events {
		s.buf = append(s.buf, `{"type":"`...)
		s.buf = append(s.buf, event.Type...)
		s.buf = append(s.buf, `","object":`...)
		s.buf = event.Record.AppendJSON(s.buf)
		s.buf = append(s.buf, "}\n"...)
	}
	_, err := s.w.Write(s.buf)
	return err
}

// bookmark sends the version up to which the stream is complete.
func (s *eventStream) bookmark(opts store.WatchOptions) error {
	if !s.bookmarks {
		return nil
	}
	_, err := fmt.Fprintf(s.w, `{"type":"BOOKMARK","object":{"apiVersion":"%s","kind":"%s","metadata":{"resourceVersion":"%d"}}}`+"\n", v1.APIVersion, opts.Kind, opts.Since)
	s.flush()
	return err
}

// fail ends the stream with an ERROR event.
func (s *eventStream) fail(status metav1.Status) {
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	line, encodeErr := json.Marshal(struct {
		Type   string        `json:"type"`
		Object metav1.Status `json:"object"`
	}{"ERROR", status})
	if encodeErr != nil {
		return
	}
	_, _ = s.w.Write(append(line, '\n'))
	s.flush()
}
