package server_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// TestEveryRouteKeepsWorkspacesApart tries each row of the table, whatever its method, kind
// and scope, from one workspace with objects of another.
func TestEveryRouteKeepsWorkspacesApart(t *testing.T) {
	h := newHouse(t, nil)
	var all sync.WaitGroup // at once: a stream lasts a second
	for _, route := range h.api.Routes() {
		all.Go(func() { h.apart(t, route) })
	}
	all.Wait()
	for _, secret := range h.secrets {
		record, err := h.store.Get(t.Context(), secret.Key())
		if err != nil || record.ResourceVersion() != secret.ResourceVersion() {
			t.Errorf("%s of the other workspace was changed: version %d, %v", secret.Key(), record.ResourceVersion(), err)
		}
		page, err := h.store.List(t.Context(), store.ListOptions{Kind: secret.Key().Kind, Namespace: "other"})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("the other workspace has %d objects of kind %s, %v", len(page.Items), secret.Key().Kind, err)
		}
	}
}

// selectorsOfOther ask for what the other workspace has.
var selectorsOfOther = []string{
	"fieldSelector=metadata.namespace%3Dother", "fieldSelector=metadata.namespace%3Dacme,metadata.namespace%3Dother",
	"fieldSelector=involvedObject.namespace%3Dother", "fieldSelector=metadata.name%3Dsecret", "labelSelector=team",
	"limit=1&continue=9.9", "resourceVersion=1",
}

func (h *house) apart(t *testing.T, route server.Route) {
	t.Helper()
	quiet := func(r request) (int, string) {
		t.Helper()
		response, answer := h.do(t, r)
		for _, leak := range h.leaks() {
			if strings.Contains(answer, leak) {
				t.Errorf("%s %s shows %q:\n%s", r.method, r.path, leak, answer)
			}
		}
		if response.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s %s: %s %s", r.method, r.path, response.Status, answer)
		}
		return response.StatusCode, answer
	}
	of := h.request(t, route, "acme", "secret")
	switch route.Scope {
	case server.NoWorkspace:
		quiet(of)
		return
	case server.EveryWorkspace:
		of.path += map[bool]string{true: "&", false: "?"}[strings.Contains(of.path, "?")]
		of.path += "fieldSelector=metadata.namespace%3Dacme"
		quiet(of)
		return
	case server.PathWorkspace, server.CookieWorkspace:
	}
	quiet(h.request(t, route, "nobody", "secret"))
	if strings.Contains(route.Pattern, "{name}") || strings.Contains(route.Pattern, "{id}") || strings.Contains(route.Pattern, "{project}") {
		// What another workspace has looks like what nobody has.
		code, answer := quiet(of)
		missing, none := quiet(h.request(t, route, "acme", "absent"))
		if code != missing || strings.ReplaceAll(answer, "secret", "absent") != none {
			t.Errorf("of the other workspace: %d %s\nof nobody: %d %s", code, answer, missing, none)
		}
		of.path = strings.Replace(of.path, "/secret", "/..%2F..%2Fother%2F"+route.Kind.Resource+"%2Fsecret", 1)
		quiet(of)
		return
	}
	if route.Method == http.MethodPost {
		if _, ok := route.Body.(v1.Object); !ok {
			return // the seed's create, which names no object
		}
		of.body = strings.Replace(of.body, `"namespace":"acme"`, `"namespace":"other"`, 1)
		if code, answer := quiet(of); code != http.StatusBadRequest {
			t.Errorf("an object of the other workspace: %d %s", code, answer)
		}
		return
	}
	var all sync.WaitGroup
	all.Go(func() { quiet(of) })
	selectors := slices.Clone(selectorsOfOther)
	for _, secret := range h.secrets {
		selectors = append(selectors, "fieldSelector=involvedObject.uid%3D"+string(secret.UID()))
	}
	for _, selector := range selectors {
		all.Go(func() {
			r := of
			r.path += map[bool]string{true: "&", false: "?"}[strings.Contains(r.path, "?")] + selector
			quiet(r)
		})
	}
	all.Wait()
}

// TestEveryRouteShowsItsOwnWorkspace is what the test above stands on: from their own
// workspace the secrets are seen, on every route that reads.
func TestEveryRouteShowsItsOwnWorkspace(t *testing.T) {
	h := newHouse(t, nil)
	var all sync.WaitGroup
	for _, route := range h.api.Routes() {
		reads := slices.Contains([]auth.Verb{auth.Get, auth.List, auth.Watch, auth.ReadLog}, route.Verb)
		if !reads || route.Scope == server.NoWorkspace {
			continue
		}
		all.Go(func() {
			r := h.request(t, route, "other", "secret")
			if route.Kind.Name == "Revision" {
				r.path += "?compose=true"
			}
			if _, answer := h.do(t, r); !slices.ContainsFunc(h.leaks(), func(leak string) bool { return strings.Contains(answer, leak) }) {
				t.Errorf("%s %s shows nothing of what it is about: %s", route.Verb, r.path, answer)
			}
		})
	}
	all.Wait()
}

// TestEveryAddressRefusesTheMethodsItDoesNotHave, with those that it has in Allow.
func TestEveryAddressRefusesTheMethodsItDoesNotHave(t *testing.T) {
	h := newHouse(t, nil)
	has := map[string][]string{}
	paths := map[string]request{}
	for _, route := range h.api.Routes() {
		methods := []string{route.Method}
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		has[route.Pattern] = append(has[route.Pattern], methods...)
		paths[route.Pattern] = h.request(t, route, "acme", "absent")
	}
	for pattern, methods := range has {
		if slices.Contains(methods, "") {
			methods = []string{http.MethodGet, http.MethodHead} // the page's own
		}
		slices.Sort(methods)
		methods = slices.Compact(methods)
		for _, method := range []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "BREW",
		} {
			if slices.Contains(methods, method) {
				continue
			}
			r := paths[pattern]
			r.method, r.body = method, ""
			r.path, _, _ = strings.Cut(r.path, "?")
			response, body := h.do(t, r)
			if want := strings.Join(methods, ", "); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != want {
				t.Errorf("%s %s: %s, Allow %q, want 405 and %q: %s", method, pattern, response.Status, response.Header.Get("Allow"), want, body)
			}
		}
	}
	for _, path := range []string{"/api/v1/nothing", "/apis/jobwright.dev/v1/namespaces/acme/cabbages", "/apis/jobwright.dev/v1/namespaces/acme/jobs/a/b", "/apis/jobwright.dev/v2", "/favicon.ico"} {
		h.want(t, request{method: http.MethodGet, path: path}, http.StatusNotFound, "404 page not found")
	}
}

// denyAll is an Authorizer.
type denyAll struct{}

func (denyAll) Authorize(auth.Identity, auth.Action) error {
	return &auth.MisdirectedError{Reason: "denied"}
}

// nobody is an Authenticator that recognizes no credentials.
type nobody struct{}

func (nobody) Authenticate(*http.Request) (auth.Identity, bool, error) {
	return auth.Identity{}, false, nil
}

// TestNoRouteIsReachedPastTheSeams holds for every row, and for addresses without one.
func TestNoRouteIsReachedPastTheSeams(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*server.Options)
		code   int
	}{
		"an Authorizer that denies everything":    {change: func(o *server.Options) { o.Authorizer = denyAll{} }, code: http.StatusForbidden},
		"an Authenticator that recognizes nobody": {change: func(o *server.Options) { o.Authenticator = nobody{} }, code: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, tc.change)
			for _, route := range append(h.api.Routes(), server.Route{Method: http.MethodGet, Pattern: "/nothing"}) {
				r := h.request(t, route, "other", "secret")
				if response, answer := h.do(t, r); response.StatusCode != tc.code {
					t.Errorf("%s %s: %s %s", r.method, r.path, response.Status, answer)
				}
			}
		})
	}
}

// TestMetricsAreLabeledByRoute and by nothing that a client makes up.
func TestMetricsAreLabeledByRoute(t *testing.T) {
	h := newHouse(t, nil)
	known := map[string]bool{}
	for _, route := range h.api.Routes() {
		known[route.Pattern], known[strings.TrimSpace(route.Method+" "+route.Pattern)] = true, true
		for _, method := range []string{route.Method, "BREW"} {
			r := h.request(t, route, "acme", "absent")
			if method != "" && route.Verb != auth.Watch {
				r.method = method
				h.do(t, r)
			}
		}
	}
	h.do(t, request{method: http.MethodGet, path: "/made/up"})
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, family := range families {
		if family.GetName() != "jobwright_http_request_seconds" {
			continue
		}
		for _, metric := range family.GetMetric() {
			seen++
			for _, label := range metric.GetLabel() {
				if label.GetName() == "route" && !known[label.GetValue()] || label.GetName() == "method" && label.GetValue() == "BREW" {
					t.Errorf("%s=%q", label.GetName(), label.GetValue())
				}
			}
		}
	}
	if seen < len(h.api.Routes()) {
		t.Errorf("%d series for %d routes", seen, len(h.api.Routes()))
	}
}

// TestEveryRouteIsDescribed: what a description of the API will be made from is there.
func TestEveryRouteIsDescribed(t *testing.T) {
	h := newHouse(t, nil)
	for _, route := range h.api.Routes() {
		name := route.Method + " " + route.Pattern
		if !strings.HasSuffix(route.Summary, ".") || route.Answer == nil || route.Verb == "" || route.Scope == "" {
			t.Errorf("%s: summary %q, answer %T, verb %q, scope %q", name, route.Summary, route.Answer, route.Verb, route.Scope)
		}
		if (route.Body == nil) != (len(route.Media) == 0) || route.Method == http.MethodGet && route.Body != nil {
			t.Errorf("%s: body %T in %v", name, route.Body, route.Media)
		}
		if inPath := strings.Contains(route.Pattern, "{namespace}"); inPath != (route.Scope == server.PathWorkspace) {
			t.Errorf("%s: scope %s", name, route.Scope)
		}
		names := map[string]bool{}
		for _, p := range route.Query {
			if names[p.Name] || p.Summary == "" || !slices.Contains([]string{"string", "integer", "boolean"}, p.Type) {
				t.Errorf("%s: parameter %+v", name, p)
			}
			names[p.Name] = true
		}
	}
}

func TestDiscoveryGoldens(t *testing.T) {
	f := newFixture(t)
	for name, path := range map[string]string{"discovery-group": groupPath, "discovery-core": "/api/v1", "discovery-groups": "/apis", "discovery-versions": "/api"} {
		_, body := f.do(t, request{method: http.MethodGet, path: path})
		golden(t, name, body)
	}
}

// users is an Authenticator of users by bearer tokens, and roles an Authorizer by which a
// user is the viewer of the workspace that has the user's name.
type (
	users struct{}
	roles struct{}
)

func (users) Authenticate(r *http.Request) (auth.Identity, bool, error) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	return auth.Identity{Name: name}, ok, nil
}

var errNotAllowed = apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("not a member"))

// reading are the verbs of a viewer.
var reading = []auth.Verb{auth.Get, auth.List, auth.Watch, auth.ReadLog, auth.Explain, auth.Plan, auth.Discover}

func (roles) Authorize(who auth.Identity, what auth.Action) error {
	switch {
	case what.Verb == auth.Discover:
		return nil
	case what.Workspace != who.Name || !slices.Contains(reading, what.Verb):
		return errNotAllowed
	}
	return nil
}

// TestUsersAndRolesAreOneMoreAuthenticatorAndAuthorizer: the table tells them all they
// need, whatever the route.
func TestUsersAndRolesAreOneMoreAuthenticatorAndAuthorizer(t *testing.T) {
	h := newHouse(t, func(o *server.Options) { o.Authenticator, o.Authorizer = users{}, roles{} })
	for _, route := range h.api.Routes() {
		if route.Verb == auth.Watch {
			continue // the same address as the list
		}
		for _, workspace := range []string{"acme", "other"} {
			r := h.request(t, route, workspace, "absent")
			if route.Scope == server.EveryWorkspace {
				r.path += "?fieldSelector=metadata.namespace%3D" + workspace
			}
			r.header["Authorization"] = "Bearer token-of-acme"
			may := slices.Contains(reading, route.Verb) && workspace == "acme" && route.Scope != server.NoWorkspace || route.Verb == auth.Discover
			if response, answer := h.do(t, r); (response.StatusCode != http.StatusForbidden) != may {
				t.Errorf("acme's viewer, %s %s: %s %s, want allowed = %v", r.method, r.path, response.Status, answer, may)
			}
		}
	}
}

// TestNoForeignPageHasEffects: a page of another site may link to what only reads, and to
// nothing else.
func TestNoForeignPageHasEffects(t *testing.T) {
	h := newHouse(t, nil)
	effects := 0
	for _, route := range h.api.Routes() {
		if route.Verb == auth.Watch {
			continue // the same address as the list
		}
		r := h.request(t, route, "acme", "demo")
		r.header["Sec-Fetch-Site"] = "cross-site"
		response, answer := h.do(t, r)
		reads := r.method == http.MethodGet && !route.Effects
		if refused := response.StatusCode == http.StatusForbidden; refused == reads {
			t.Errorf("%s %s: %s %s", r.method, r.path, response.Status, answer)
		}
		if route.Effects {
			effects++
			delete(r.header, "Sec-Fetch-Site")
			h.want(t, r, http.StatusOK)
		}
	}
	if effects == 0 {
		t.Error("no GET has effects: it was the one that starts an MCP server")
	}
}
