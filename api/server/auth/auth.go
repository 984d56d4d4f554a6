package auth

import (
	"net/http"
	"slices"
)

// Identity is the sender of a request.
type Identity struct {
	// Name tells people who it is; empty: nobody in particular.
	Name string
	// Operator is true for requests that carry the operator's token. Whoever can read the
	// data folder knows the token, and may do what no other client may.
	Operator bool
}

// Verb is what a request does to objects of a kind.
type Verb string

// The verbs of the Kubernetes API. They appear in discovery.
const (
	Get    Verb = "get"
	List   Verb = "list"
	Watch  Verb = "watch"
	Create Verb = "create"
	Update Verb = "update"
	Patch  Verb = "patch"
	Delete Verb = "delete"
)

// Jobwright's own verbs.
const (
	// ReadLog reads what a job printed; Explain tells why a job waits; Plan tells what a
	// job would do.
	ReadLog Verb = "log"
	Explain Verb = "explain"
	Plan    Verb = "plan"
	// Cancel, Retry and ForceFinish change the course of one job.
	Cancel      Verb = "cancel"
	Retry       Verb = "retry"
	ForceFinish Verb = "force-finish"
	// ListTools lists the tools of an MCP server, and starts the server if need be.
	ListTools Verb = "list-tools"
	// Backup copies the whole store.
	Backup Verb = "backup"
	// Impersonate creates a job in somebody else's name. No route has this verb: handlers
	// ask for it beside the verb of the route.
	Impersonate Verb = "impersonate"
	// Discover reads what the server offers, which is the same for every sender: probes,
	// metrics, the page and the API's own description.
	Discover Verb = "discover"
)

// Standard reports whether v is a verb of the Kubernetes API.
func (v Verb) Standard() bool {
	return slices.Contains([]Verb{Get, List, Watch, Create, Update, Patch, Delete}, v)
}

// Action is what a request asks for.
type Action struct {
	Verb Verb
	// Kind is the kind of the objects, such as Job; empty: the server itself.
	Kind string
	// Subresource is the part of an object that the request is about, such as status;
	// empty: the whole object.
	Subresource string
	// Workspace is the workspace of the objects; empty: all workspaces, or objects that
	// belong to none.
	Workspace string
	// Name is the object's name; empty: the request is about a collection.
	Name string
}

// Authenticator tells who sends a request.
type Authenticator interface {
	// Authenticate returns the sender of r. It returns false when r carries no credentials
	// that it recognizes, and an error when r must be refused.
	Authenticate(r *http.Request) (Identity, bool, error)
}

// Authorizer decides what an identity may do.
type Authorizer interface {
	// Authorize returns nil when the sender may carry out the action, and otherwise an error
	// that says why not: an apierrors.APIStatus, which has the status code of the answer.
	Authorize(who Identity, what Action) error
}
