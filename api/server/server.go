package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

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
	// Kinds are those that are served, which Store knows; nil: v1.Kinds().
	Kinds v1.KindSet
	// DataDir is the folder that is left out of what clients are told; empty: none is.
	DataDir string
	// Web serves the page at /jobs; nil: there is none.
	Web http.Handler
	// Metrics serves /metrics; nil: there are none.
	Metrics http.Handler
	// Ready tells why the server is not ready; nil: it always is.
	Ready func(context.Context) error
	// Notices are what an operator should know of a server that is ready all the same;
	// nil: there are none. /readyz and the page show them.
	Notices func() []string
	// Blockers tells why a job is queued, for status.blockedBy; nil: nobody knows.
	Blockers func(context.Context, *v1.Job) ([]v1.Blocker, error)
	// Explain answers GET …/jobs/NAME/explain; nil: there is no such route.
	Explain func(context.Context, *v1.Job) (*v1.JobExplanation, error)
	// Plan answers POST …/plan: what a valid job would do, with an error when it cannot
	// be found out; nil: there is no such route.
	Plan func(context.Context, *v1.Job) (*v1.Plan, error)
	// Revisions are the good states of compose projects; nil: none are kept.
	Revisions RevisionHistory
	// MCP are the operator's MCP servers, for GET /api/mcp/servers; nil: there is no such
	// route.
	MCP MCPServers
	// Backup writes a copy of the store, for GET /api/backup; nil: there is no such
	// route. It is answered to those who know OperatorToken.
	Backup func(context.Context, io.Writer) error
	// OperatorToken is the bearer token of those who may read the data folder; empty:
	// nobody is one of them.
	OperatorToken string
	// Events is served as core/v1 Events; nil: there are none.
	Events events.Store
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
	Options
	handler http.Handler
	metrics *metrics
	// dependencies is held while a job with dependsOn is checked and stored.
	dependencies sync.Mutex
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
	if opts.MaxBody <= 0 {
		opts.MaxBody = DefaultMaxBody
	}
	if opts.MaxWorkspaces <= 0 {
		opts.MaxWorkspaces = DefaultMaxWorkspaces
	}
	s := &Server{Options: opts, metrics: newMetrics()}
	if opts.Registerer != nil {
		if err := s.metrics.register(opts.Registerer); err != nil {
			return nil, fmt.Errorf("api server: register metrics: %w", err)
		}
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// HTTPServer is an http.Server for handler with bounds that suit streams: headers
// must come soon and be small, idle connections end, and answers may last.
func HTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(route string, handler http.HandlerFunc) {
		mux.Handle(route, s.metrics.observe(route, handler))
	}
	s.seedRoutes(handle)
	s.objectRoutes(handle)
	s.eventRoutes(handle)
	s.revisionRoutes(handle)
	s.mcpRoutes(handle)
	s.discoveryRoutes(handle)
	handle("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	handle("GET /readyz", s.readyz)
	if s.Backup != nil {
		handle("GET /api/backup", s.backup)
	}
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
	if s.Web != nil {
		mux.Handle("/jobs", s.Web)
		mux.Handle("/jobs/", s.Web)
		mux.Handle("GET /{$}", http.RedirectHandler("/jobs", http.StatusFound))
	}
	return s.safely(mux)
}

// safely bounds the body and turns a panic into one failed request.
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
			s.Log.Error(fmt.Errorf("panic: %v", p), "a request panicked", "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
			writeText(w, http.StatusInternalServerError, "internal error; the server's log has the stack\n")
		}()
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
			writeText(w, http.StatusUnsupportedMediaType, "Content-Encoding "+quote(encoding)+" is not supported: send the body as it is\n")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			writeText(w, http.StatusServiceUnavailable, "not ready: "+s.withoutDataDir(publicText(err))+"\n")
			return
		}
	}
	lines := []string{"ok"}
	if s.Notices != nil {
		for _, notice := range s.Notices() {
			lines = append(lines, "notice: "+notice)
		}
	}
	writeText(w, http.StatusOK, strings.Join(lines, "\n")+"\n")
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client is gone; nobody is left to tell
}
