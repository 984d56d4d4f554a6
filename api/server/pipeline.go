package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"

	"jobwright.dev/api/server/auth"
	"jobwright.dev/api/server/deadline"
	"jobwright.dev/api/server/public"
	"jobwright.dev/store"
)

// request is a request on its way through the pipeline, with what its route, its address
// and its credentials tell of it.
type request struct {
	*http.Request
	route *Route
	who   auth.Identity
	// workspace is that of the objects (Server.workspaceOf); empty: all, or none.
	workspace string
	// name is the object's name; empty: the request is about a collection.
	name string
	// dry is true for a request that must store nothing.
	dry    bool
	query  url.Values
	answer deadline.Answer
}

// params is the parsed query.
func (r *request) params() url.Values {
	if r.query == nil {
		r.query = r.URL.Query()
	}
	return r.query
}

// key names the object that the address names.
func (r *request) key() store.Key {
	return store.Key{Kind: r.route.Kind.Name, Namespace: r.workspace, Name: r.name}
}

// action is what the Authorizer decides about.
func (r *request) action(verb auth.Verb) auth.Action {
	return auth.Action{Verb: verb, Kind: r.route.Kind.Name, Subresource: r.route.Subresource, Workspace: r.workspace, Name: r.name}
}

// newPipeline returns the pipeline over a table of routes.
func (s *Server) newPipeline(table []Route) http.Handler {
	patterns := map[string][]*Route{}
	for i := range table {
		patterns[table[i].Pattern] = append(patterns[table[i].Pattern], &table[i])
	}
	mux := http.NewServeMux()
	for pattern, routes := range patterns {
		mux.Handle(pattern, s.newEndpoint(pattern, routes))
	}
	unknown := &Route{Verb: auth.Discover, shape: shapeText, handle: func(w http.ResponseWriter, r *request) error {
		http.NotFound(w, r.Request)
		return nil
	}}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.pass(w, r, unknown) })
	return s.safely(mux)
}

// endpoint is the rows of the table with one pattern.
type endpoint struct {
	server  *Server
	methods map[string]*Route
	watch   *Route // serves GET with watch=true; nil: nothing can be watched
	other   *Route // serves every other method
}

func (s *Server) newEndpoint(pattern string, routes []*Route) *endpoint {
	e := &endpoint{server: s, methods: map[string]*Route{}}
	var allow []string
	for _, route := range routes {
		if !route.uncounted {
			route.observe = s.metrics.observer(route.label())
		}
		switch {
		case route.Method == "":
			e.other = route
		case route.Verb == auth.Watch:
			e.watch = route
		default:
			e.methods[route.Method] = route
			allow = append(allow, route.Method)
		}
	}
	if get := e.methods[http.MethodGet]; get != nil {
		e.methods[http.MethodHead] = get
		allow = append(allow, http.MethodHead)
	}
	if e.other == nil {
		slices.Sort(allow)
		e.other = wrongMethod(routes[0], strings.Join(allow, ", "))
		e.other.observe = s.metrics.observer(pattern)
	}
	return e
}

// wrongMethod is the route of the methods that an address does not have.
func wrongMethod(beside *Route, allow string) *Route {
	return &Route{Verb: auth.Discover, shape: beside.shape, handle: func(w http.ResponseWriter, _ *request) error {
		w.Header().Set("Allow", allow)
		if beside.shape == shapeSeed {
			return &seedError{http.StatusMethodNotAllowed, seedRefusal{Error: "method_not_allowed", Message: beside.use}}
		}
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return nil
	}}
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, ok := e.methods[r.Method]
	switch {
	case !ok:
		route = e.other
	case e.watch != nil && r.Method == http.MethodGet && wantsWatch(r):
		route = e.watch
	}
	e.server.pass(w, r, route)
}

func wantsWatch(r *http.Request) bool {
	if !strings.Contains(r.URL.RawQuery, "watch") {
		return false
	}
	watch, _ := strconv.ParseBool(r.URL.Query().Get("watch"))
	return watch
}

// pass takes one request through the pipeline and counts it.
func (s *Server) pass(w http.ResponseWriter, hr *http.Request, route *Route) {
	start := time.Now()
	r := &request{Request: hr, route: route, answer: deadline.NewAnswer(w)}
	err := s.admit(r)
	if err == nil {
		err = route.handle(&r.answer, r)
	}
	if err != nil {
		s.refuse(&r.answer, r, err)
	}
	r.answer.Prolong()
	if route.observe != nil {
		route.observe(hr.Method, r.answer.Code(), time.Since(start))
	}
}

// admit finds out who sends a request and what it is about, and refuses it when the sender
// may not do that.
func (s *Server) admit(r *request) error {
	who, known, err := s.opts.Authenticator.Authenticate(r.Request)
	if err == nil {
		err = auth.CheckOrigin(r.Request, r.route.effects(r.Method))
	}
	if err == nil && !known {
		err = errUnauthenticated
	}
	if err != nil {
		return err
	}
	r.who = who
	if r.route.object != "" {
		r.name = r.PathValue(r.route.object)
	}
	if r.workspace, err = workspaceOf(r); err != nil {
		return err
	}
	if r.dry, err = dryRunOf(r); err != nil {
		return err
	}
	return s.opts.Authorizer.Authorize(who, r.action(r.route.Verb))
}

// mayImpersonate reports whether the sender may create a job in somebody else's name.
func (s *Server) mayImpersonate(r *request) bool {
	return s.opts.Authorizer.Authorize(r.who, r.action(auth.Impersonate)) == nil
}

// workspaceOf resolves the workspace of a request from its path, its cookie or its query.
// Handlers take it from the request and from nowhere else.
func workspaceOf(r *request) (string, error) {
	switch r.route.Scope {
	case PathWorkspace:
		return r.PathValue("namespace"), nil
	case CookieWorkspace:
		cookie, err := r.Cookie(WorkspaceCookie)
		if err != nil || cookie.Value == "" {
			return "", &seedError{http.StatusUnauthorized, seedRefusal{Error: "workspace_required"}}
		}
		if problems := validation.IsDNS1123Label(cookie.Value); len(problems) > 0 {
			return "", &seedError{http.StatusBadRequest, seedRefusal{
				Error: "invalid_workspace", Message: "cookie " + WorkspaceCookie + ": " + public.Quote(cookie.Value) + ": " + problems[0],
			}}
		}
		return cookie.Value, nil
	case EveryWorkspace:
		if text := r.params().Get("fieldSelector"); text != "" {
			return selectedWorkspace(text), nil
		}
	case NoWorkspace:
	}
	return "", nil
}

// fieldNamespace and fieldInvolved are the field selectors by which a request for all
// workspaces asks for one; only events have the second.
const (
	fieldNamespace = "metadata.namespace"
	fieldInvolved  = "involvedObject.namespace"
)

// selectedWorkspace is the workspace that a field selector asks for; empty: it asks for
// none, or cannot be read, which its handler refuses.
func selectedWorkspace(text string) string {
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return ""
	}
	for _, wanted := range selector.Requirements() {
		if (wanted.Field == fieldNamespace || wanted.Field == fieldInvolved) && wanted.Operator != selection.NotEquals {
			return wanted.Value
		}
	}
	return ""
}
