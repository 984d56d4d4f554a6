package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const (
	// watchLife is how long one request of a watch lasts at least, as client-go has it: it
	// spreads watches over servers again after one was away. At its end comes a bookmark.
	watchLife = 5 * time.Minute
	// watchSilence is how long a request may be silent: several times as long as a server
	// goes without a bookmark, since some send none.
	watchSilence = 4 * time.Minute
	// watchBuffer is how many changes are read ahead of Next, and watchBatch how many it
	// returns at once.
	watchBuffer, watchBatch = 256, 1024
)

// watch is a place in the stream of changes.
type watch struct {
	s    *Store
	kind v1.Kind
	opts store.WatchOptions // Since is where the present request began, or the next one does
	seen uint64             // the version up to which everything was delivered
	life context.Context
	end  context.CancelFunc

	stream <-chan line // of the present request; nil: there is none
}

// line is what one line of a stream says.
type line struct {
	event    store.Event
	bookmark uint64 // in place of an event
	err      error  // the last line alone
}

// Watch implements store.Store. Version 0, that of a store in which nothing has happened
// yet, is any version to a Kubernetes API: what has been created since comes as Added.
func (s *Store) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	kind, err := s.kindOf(opts.Kind, store.ErrInvalid)
	if err == nil && s.ctx.Err() != nil {
		err = store.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &watch{s: s, kind: kind, opts: opts, seen: opts.Since}
	w.life, w.end = context.WithCancel(s.ctx)
	if err := w.begin(ctx); err != nil {
		w.end()
		return nil, fmt.Errorf("watch %s from version %d: %w", opts.Kind, opts.Since, err)
	}
	return w, nil
}

// begin sends a request for what comes after opts.Since. ctx bounds how long its answer is
// waited for.
func (w *watch) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	life := watchLife + rand.N(watchLife/2)
	query, err := listQuery(w.kind, store.ListOptions{Namespace: w.opts.Namespace, Name: w.opts.Name, Labels: w.opts.Labels})
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": strconv.FormatUint(w.opts.Since, 10),
		"timeoutSeconds": strconv.Itoa(int(life.Seconds())),
	} {
		query.Set(name, value)
	}
	streaming, end := context.WithCancel(w.life)
	stop := context.AfterFunc(ctx, end)
	late := time.AfterFunc(w.s.opts.Timeout, end)
	response, err := w.s.client.Do(streaming, w.request(query)) //nolint:bodyclose // the goroutine below closes it, as long as it lasts
	late.Stop()
	if !stop() && err == nil { // ctx has ended, and with it the stream
		_ = response.Body.Close()
		err = ctx.Err()
	}
	if err != nil {
		end()
		return w.s.failed(ctx, err, false)
	}
	lines := make(chan line, watchBuffer)
	go func() {
		defer end()
		defer response.Body.Close()
		silent := time.AfterFunc(watchSilence, end)
		defer silent.Stop()
		read(streaming, response.Body, w.kind, silent, lines)
	}()
	w.stream = lines
	return nil
}

func (w *watch) request(query url.Values) client.Request {
	return client.Request{Method: http.MethodGet, Path: client.Key{Kind: w.kind, Namespace: w.opts.Namespace}.Path(), Query: query}
}

// errEnded is the end of a request that came in order, or by the loss of the connection.
var errEnded = errors.New("the stream has ended")

// read sends what the lines of a stream say until it ends, and then why.
func read(ctx context.Context, body io.Reader, kind v1.Kind, silent *time.Timer, lines chan<- line) {
	defer close(lines)
	reader := bufio.NewReaderSize(body, 64<<10)
	for {
		text, err := reader.ReadBytes('\n')
		l := line{err: errEnded}
		if err == nil {
			l = parse(kind, text)
		}
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
		if l.err != nil {
			return
		}
		silent.Reset(watchSilence)
	}
}

// parse reads one line of a stream.
func parse(kind v1.Kind, text []byte) line {
	var l struct {
		Type   string          `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return line{err: fmt.Errorf("%w: read the stream: %w", store.ErrUnavailable, err)}
	}
	switch l.Type {
	case string(store.Added), string(store.Modified), string(store.Deleted):
		record, _, err := recordOf(kind, l.Object)
		return line{event: store.Event{Type: store.EventType(l.Type), Record: record}, err: err}
	case "BOOKMARK":
		var h header
		err := json.Unmarshal(l.Object, &h)
		var version uint64
		if err == nil {
			version, err = parseVersion(h.Metadata.ResourceVersion)
		}
		return line{bookmark: version, err: err}
	case "ERROR":
		var status metav1.Status
		if err := json.Unmarshal(l.Object, &status); err != nil {
			return line{err: fmt.Errorf("%w: read the stream: %w", store.ErrUnavailable, err)}
		}
		return line{err: fmt.Errorf("%w: %s", ofStatus(status, store.ErrUnavailable), status.Message)}
	}
	return line{} // of a later day
}

// Next implements store.Watch.
func (w *watch) Next(ctx context.Context) ([]store.Event, error) {
	for retried := false; ; {
		if w.life.Err() != nil {
			return nil, fmt.Errorf("watch: %w", store.ErrClosed)
		}
		if w.stream == nil {
			if err := w.begin(ctx); err != nil {
				return nil, fmt.Errorf("watch %s from version %d: %w", w.opts.Kind, w.opts.Since, err)
			}
		}
		events, err := w.take(ctx)
		switch {
		case len(events) > 0:
			return events, nil
		case errors.Is(err, errEnded) && !retried:
			w.stream, w.opts.Since, retried = nil, w.seen, true
		case errors.Is(err, errEnded):
			w.stream, w.opts.Since = nil, w.seen
			return nil, fmt.Errorf("watch: %w: %w", store.ErrUnavailable, err)
		case err != nil:
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
}

// take waits for the next line and returns the changes that are there; none after a
// bookmark.
func (w *watch) take(ctx context.Context) (events []store.Event, err error) {
	var l line
	var open bool
	select {
	case l, open = <-w.stream:
	case <-w.life.Done():
		return nil, store.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for ; ; l, open = <-w.stream {
		switch {
		case !open: // it was silent for too long, or the store is closed
			return events, errEnded
		case l.err != nil:
			if len(events) == 0 {
				return nil, l.err
			}
			w.stream = failing(l.err)
			return events, nil
		case l.bookmark != 0:
			w.seen = max(w.seen, l.bookmark)
		case l.event.Type != "":
			w.seen = max(w.seen, l.event.Record.ResourceVersion())
			events = append(events, l.event)
		}
		if len(w.stream) == 0 || len(events) == watchBatch {
			return events, nil
		}
	}
}

// failing is a stream that has nothing left but an error.
func failing(err error) <-chan line {
	lines := make(chan line, 1)
	lines <- line{err: err}
	close(lines)
	return lines
}

// Progress implements store.Watch.
func (w *watch) Progress() uint64 { return w.seen }

// Close implements store.Watch.
func (w *watch) Close() { w.end() }
