package server

import (
	"net/http"

	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
)

// Route is one row of the table of everything that is served (routes.go). Routing,
// authorization, discovery and the labels of metrics are made from the table.
type Route struct {
	// Method is the HTTP method; GET serves HEAD too. Empty: the handler takes every method.
	Method string
	// Pattern is the path, as http.ServeMux has it. {namespace} is the workspace; the other
	// wildcard is the name of the object.
	Pattern string
	// Kind is the kind of the objects; the zero Kind: the route is about the server itself.
	Kind v1.Kind
	// Subresource is the part of an object that the route is about; empty: all of it.
	Subresource string
	// Verb is what the route does. Rows that differ only in the verbs list and watch are one
	// address: the parameter watch=true chooses the second.
	Verb auth.Verb
	// Scope tells where the workspace of a request stands.
	Scope Scope
	// Effects marks a GET that does more than read, so that no foreign page may send it.
	Effects bool

	// Summary, Query, Media, Body and Answer describe the route for its clients. Media are
	// the media types of the body, the first being what a body without Content-Type is; Body
	// and Answer are values of the Go types of which the JSON is made, nil where there is
	// none.
	Summary string
	Query   []Parameter
	Media   []string
	Body    any
	Answer  any

	shape     shape
	use       string // shapeSeed: what the refusal of a wrong method advises
	object    string // the wildcard of the object's name
	uncounted bool   // requests are left out of the metrics
	handle    handler
	observe   observer // nil: requests are not counted
}

// handler serves a request of one route. What it returns is answered in the route's shape.
type handler func(w http.ResponseWriter, r *request) error

// Scope tells where the workspace of a request stands. Server.workspaceOf reads it.
type Scope string

// The scopes.
const (
	// NoWorkspace: the server itself, or objects that belong to no workspace.
	NoWorkspace Scope = "None"
	// PathWorkspace: {namespace} in the path.
	PathWorkspace Scope = "Path"
	// CookieWorkspace: the cookie active_workspace, in the seed's interface.
	CookieWorkspace Scope = "Cookie"
	// EveryWorkspace: objects of all workspaces, or of the one that the field selector
	// metadata.namespace names.
	EveryWorkspace Scope = "Every"
)

// Parameter is a parameter of a route's query.
type Parameter struct {
	Name string
	// Type is string, integer or boolean, as in JSON Schema.
	Type    string
	Summary string
}

// shape is the form of a refusal.
type shape int

const (
	shapeStatus shape = iota // a metav1.Status
	shapeSeed                // {"ok":false,"error":CODE}
	shapeText
)

// label is the route in metrics. The addresses of the seed's interface have one label for
// all methods.
func (r *Route) label() string {
	if r.shape == shapeSeed || r.Method == "" {
		return r.Pattern
	}
	return r.Method + " " + r.Pattern
}

// effects reports whether a request of this route may do more than read.
func (r *Route) effects(method string) bool {
	return r.Effects || method != http.MethodGet && method != http.MethodHead
}
