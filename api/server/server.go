package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/api/server/auth"
	"jobwright.dev/api/server/deadline"
	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
	"jobwright.dev/store/logs"
)

// Defaults of Options. A body of 1 MiB holds the largest valid object several times
// over; a thousand workspaces are far beyond what one server is shared by, and keep a
// client that makes up cookies from filling the store.
const (
	DefaultMaxBody       = 1 << 20
	DefaultMaxWorkspaces = 1000
)

// Options configure a Server. Store and Logs are required.
type Options struct {
	Store store.Store
	Logs  logs.Store
	// Events is served as core/v1 Events; nil: there are none.
	Events events.Store
	// Kinds are the kinds that are served, all of which Store knows; nil: v1.Kinds().
	Kinds v1.KindSet
	// Worker answers for the process that runs the jobs; nil: there is none, nor the routes
	// that need one.
	Worker Worker
	// Operator answers for the process that serves; nil: it is always ready, and there are
	// no backups.
	Operator Operator
	// Authenticator tells who sends a request; nil: auth.Loopback, without anybody who has
	// more rights than others.
	Authenticator auth.Authenticator
	// Authorizer decides what a sender may do; nil: auth.WithoutRoles.
	Authorizer auth.Authorizer
	// Web serves the page at /jobs; nil: there is none.
	Web http.Handler
	// Metrics serves /metrics; nil: there are none.
	Metrics http.Handler
	// DataDir is the folder that is left out of what clients are told; empty: none is.
	DataDir string
	// MaxBody bounds a request's body in bytes; MaxWorkspaces bounds how many
	// workspaces the seed's interface may come to by creating them. 0: the defaults.
	MaxBody       int64
	MaxWorkspaces int
	// Version is what /version tells.
	Version    string
	Registerer prometheus.Registerer
	Log        logr.Logger
}

// Server is the HTTP interface; an http.Handler.
type Server struct {
	opts     Options
	routes   []Route
	resource resources
	public   public.DataDir
	pipeline http.Handler
	metrics  *metrics
	// dependencies has the lock of a workspace while a job with dependsOn is checked and
	// stored.
	dependencies keyLocks
	// keys are held while a request with an Idempotency-Key creates.
	keys keyLocks
}

// New returns the interface to a store.
func New(opts Options) (*Server, error) {
	if opts.Store == nil || opts.Logs == nil {
		return nil, errors.New("api server: Store and Logs are required")
	}
	if opts.Kinds == nil {
		opts.Kinds = v1.Kinds()
	}
	if opts.Authenticator == nil {
		opts.Authenticator = auth.Loopback{}
	}
	if opts.Authorizer == nil {
		opts.Authorizer = auth.WithoutRoles{}
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = DefaultMaxBody
	}
	if opts.MaxWorkspaces <= 0 {
		opts.MaxWorkspaces = DefaultMaxWorkspaces
	}
	s := &Server{opts: opts, public: public.DataDir(opts.DataDir), metrics: newMetrics()}
	if opts.Registerer != nil {
		if err := s.metrics.register(opts.Registerer); err != nil {
			return nil, fmt.Errorf("api server: register metrics: %w", err)
		}
	}
	s.routes = s.table()
	s.resource = resourcesOf(s.routes, opts.Kinds)
	s.pipeline = s.newPipeline(s.routes)
	return s, nil
}

// Routes is the table of everything that is served.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.pipeline.ServeHTTP(w, r) }

// NewHTTPServer returns an http.Server for handler with bounds that suit streams: headers
// must come soon and be small, idle connections end, and answers may last as long as their
// client reads them (package server prolongs WriteTimeout with each part).
func NewHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      deadline.WriteTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// safely bounds the size and the time of the body, and turns a panic into one failed request.
func (s *Server) safely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			s.opts.Log.Error(fmt.Errorf("panic: %v", p), "a request panicked", "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
			writeText(w, http.StatusInternalServerError, "internal error; the server's log has the stack\n")
		}()
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
			writeText(w, http.StatusUnsupportedMediaType, "Content-Encoding "+public.Quote(encoding)+" is not supported: send the body as it is\n")
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, deadline.NewBody(w, r.Body), s.opts.MaxBody)
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func livez(w http.ResponseWriter, _ *request) error {
	writeText(w, http.StatusOK, "ok\n")
	return nil
}

func (s *Server) readyz(w http.ResponseWriter, r *request) error {
	lines := []string{"ok"}
	if s.opts.Operator != nil {
		if err := s.opts.Operator.Ready(r.Context()); err != nil {
			writeText(w, http.StatusServiceUnavailable, "not ready: "+s.public.Text(public.ErrorText(err))+"\n")
			return nil
		}
		for _, notice := range s.opts.Operator.Notices() {
			lines = append(lines, "notice: "+s.public.Text(notice))
		}
	}
	writeText(w, http.StatusOK, strings.Join(lines, "\n")+"\n")
	return nil
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client is gone; nobody is left to tell
}
