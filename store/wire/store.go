package wire

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// defaultTimeout bounds a request: a page of large jobs over a slow line fits.
const defaultTimeout = time.Minute

// Options configure a Store. Server is required.
type Options struct {
	// Server is the server's address, e.g. http://127.0.0.1:8080.
	Server string
	// HTTPClient carries the requests; nil: one that keeps as many connections as are in
	// use. Its own timeout must be 0, since watches last.
	HTTPClient *http.Client
	// AtomicRerun: the server's store starts a rerun in the write that asks for it, as
	// that of jobwright serve over files does.
	AtomicRerun bool
	// Kinds are those that the server serves; nil: v1.Kinds().
	Kinds v1.KindSet
	// Timeout bounds a request that is no watch; 0: defaultTimeout.
	Timeout time.Duration
}

// Store is a store behind a server. It implements store.Store.
type Store struct {
	opts   Options
	client *client.Client
	own    *http.Transport // nil: the caller's

	// ctx ends when the store is closed.
	ctx     context.Context
	closing sync.Once
	cancel  context.CancelFunc
}

var _ store.Store = (*Store)(nil)

// New returns a store behind a server, which is not asked anything yet.
func New(opts Options) (*Store, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Kinds == nil {
		opts.Kinds = v1.Kinds()
	}
	s := &Store{opts: opts}
	if opts.HTTPClient == nil {
		s.own = http.DefaultTransport.(*http.Transport).Clone()
		s.own.MaxIdleConnsPerHost = 256 // as many writes as a controller has under way, and its watches
		opts.HTTPClient = &http.Client{Transport: s.own}
	}
	var err error
	if s.client, err = client.New(client.Config{Server: opts.Server, HTTPClient: opts.HTTPClient, UserAgent: "jobwright-worker", Kinds: opts.Kinds}); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close ends every call and watch; those that come later get store.ErrClosed.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.cancel()
		if s.own != nil {
			s.own.CloseIdleConnections()
		}
	})
	return nil
}

// Features implements store.Store.
func (s *Store) Features() store.Features { return store.Features{AtomicRerun: s.opts.AtomicRerun} }

// begin bounds a call by the timeout and by the life of the store.
func (s *Store) begin(ctx context.Context) (context.Context, func(), error) {
	if s.ctx.Err() != nil {
		return nil, nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	stop := context.AfterFunc(s.ctx, cancel)
	return bounded, func() { stop(); cancel() }, nil
}

// kindOf is the kind of that name; unknown: the error for one that there is not.
func (s *Store) kindOf(name string, unknown error) (v1.Kind, error) {
	kind, ok := s.opts.Kinds.ByName(name)
	if !ok {
		return kind, fmt.Errorf("%w: unknown kind %q", unknown, name)
	}
	return kind, nil
}
