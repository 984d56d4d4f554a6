package server

import (
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/core"
	"jobwright.dev/api/seed"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
)

const (
	// groupPath is where Jobwright's own kinds are.
	groupPath = "/apis/" + v1.APIVersion
	// corePath is where the Kubernetes API has the kinds of its core group.
	corePath = "/api/" + core.Version
	// inWorkspace is what the path of a namespaced kind has before the resource.
	inWorkspace = "/namespaces/{namespace}/"
)

// Media types of bodies.
var (
	documents = []string{"application/json", "application/yaml"}
	patches   = []string{"application/merge-patch+json", "application/json-patch+json"}
)

// table is everything that this server serves, in the order of doc.go.
func (s *Server) table() []Route {
	table := slices.Concat(s.seedRoutes(), s.kindRoutes(), s.jobRoutes(), s.viewRoutes(), s.eventRoutes(), s.discoveryRoutes(), s.serverRoutes())
	for i := range table {
		table[i].object = objectWildcard(table[i].Pattern)
	}
	return table
}

// objectWildcard is the wildcard of a pattern that stands for the name of an object.
func objectWildcard(pattern string) string {
	for segment := range strings.SplitSeq(pattern, "/") {
		name := strings.TrimSuffix(strings.TrimPrefix(segment, "{"), "}")
		if strings.HasPrefix(segment, "{") && name != "namespace" && name != "$" {
			return name
		}
	}
	return ""
}

// seedRoutes are the seed's interface.
func (s *Server) seedRoutes() []Route {
	const one, many = `use GET, or POST {"action": "cancel"}`, "use GET or POST"
	job, _ := v1.KindByName(v1.KindJob)
	collection := func(pattern string) []Route {
		return []Route{
			{
				Method: http.MethodGet, Pattern: pattern, Kind: job, Verb: auth.List, Scope: CookieWorkspace, shape: shapeSeed, use: many, handle: s.seedList,
				Summary: "List the jobs of the workspace, the newest first.", Query: seedListParameters(), Answer: seedAnswer{Result: seedMany{}},
			},
			{
				Method: http.MethodPost, Pattern: pattern, Kind: job, Verb: auth.Create, Scope: CookieWorkspace, shape: shapeSeed, use: many, handle: s.seedCreate,
				Summary: "Create one job, or several of which all are created or none.", Media: documents, Body: seed.NewJob{}, Answer: seedAnswer{Result: seedID{}},
			},
		}
	}
	return slices.Concat(
		collection("/api/jobs"),
		collection("/api/jobs/{$}"), // for web frameworks that end every path in a slash
		[]Route{
			{
				Method: http.MethodGet, Pattern: "/api/jobs/{id}", Kind: job, Verb: auth.Get, Scope: CookieWorkspace, shape: shapeSeed, use: one, handle: s.seedGet,
				Summary: "Read one job.", Answer: seedAnswer{Result: seedOne{}},
			},
			{
				Method: http.MethodPost, Pattern: "/api/jobs/{id}", Kind: job, Verb: auth.Cancel, Scope: CookieWorkspace, shape: shapeSeed, use: one, handle: s.seedAct,
				Summary: "Cancel a job.", Media: documents, Body: seedAction{}, Answer: seedAnswer{},
			},
		},
	)
}

// kindRoutes are those of every kind, as the Kubernetes API has them.
func (s *Server) kindRoutes() []Route {
	var table []Route
	for _, kind := range s.opts.Kinds {
		base, scope := groupPath+"/"+kind.Resource, NoWorkspace
		if kind.Namespaced {
			table = append(table, s.listRoutes(kind, base, EveryWorkspace)...)
			base, scope = groupPath+inWorkspace+kind.Resource, PathWorkspace
		}
		table = append(table, s.listRoutes(kind, base, scope)...)
		object := kind.New()
		row := func(method, suffix string, verb auth.Verb, handle handler, summary string) Route {
			r := Route{
				Method: method, Pattern: base + suffix, Kind: kind, Verb: verb, Scope: scope, handle: handle,
				Summary: summary, Answer: object,
			}
			if strings.HasSuffix(suffix, "/status") {
				r.Subresource = "status"
			}
			if method == http.MethodGet {
				return r
			}
			r.Query, r.Media, r.Body = writeParameters(r.Subresource), documents, object
			if verb == auth.Patch {
				r.Media = patches
			}
			if verb == auth.Delete {
				r.Body, r.Answer = metav1.DeleteOptions{}, metav1.Status{}
			}
			return r
		}
		const one, status = "/{name}", "/{name}/status"
		table = append(table,
			row(http.MethodPost, "", auth.Create, s.create, "Create an object."),
			row(http.MethodGet, one, auth.Get, s.get, "Read an object."),
			row(http.MethodPut, one, auth.Update, s.update, "Replace the metadata and spec of an object."),
			row(http.MethodPatch, one, auth.Patch, s.patch, "Change the metadata and spec of an object."),
			row(http.MethodDelete, one, auth.Delete, s.delete, "Delete an object."),
			row(http.MethodGet, status, auth.Get, s.get, "Read an object with its status."),
			row(http.MethodPut, status, auth.Update, s.updateStatus, "Replace the status of an object."),
			row(http.MethodPatch, status, auth.Patch, s.patchStatus, "Change the status of an object."),
		)
	}
	return table
}

// listRoutes are the two ways to read a collection: a page of it, and its changes.
func (s *Server) listRoutes(kind v1.Kind, pattern string, scope Scope) []Route {
	return []Route{
		{
			Method: http.MethodGet, Pattern: pattern, Kind: kind, Verb: auth.List, Scope: scope, handle: s.list,
			Summary: "List objects.", Query: listParameters(), Answer: []any{kind.New()},
		},
		{
			Method: http.MethodGet, Pattern: pattern, Kind: kind, Verb: auth.Watch, Scope: scope, handle: s.watch,
			Summary: "Stream the changes of objects.", Query: watchParameters(), Answer: kind.New(),
		},
	}
}

// jobRoutes are what jobs have beside what every kind has.
func (s *Server) jobRoutes() []Route {
	kind := s.kind(v1.KindJob)
	if kind.New == nil {
		return nil
	}
	const jobs = groupPath + inWorkspace + v1.ResourceJobs
	row := func(method, pattern string, verb auth.Verb, handle handler, summary string, answer any) Route {
		return Route{
			Method: method, Pattern: pattern, Kind: kind, Verb: verb, Scope: PathWorkspace, handle: handle,
			Summary: summary, Answer: answer,
		}
	}
	log := row(http.MethodGet, jobs+"/{name}/log", auth.ReadLog, s.log, "Read what a job printed.", "")
	log.Query = logParameters()
	retry := row(http.MethodPost, jobs+"/{name}/retry", auth.Retry, s.retry, "Run a finished job again, or end its back-off.", kind.New())
	retry.Query = writeParameters("")
	finish := row(http.MethodPost, jobs+"/{name}/force-finish", auth.ForceFinish, s.forceFinish, "End a job at once.", kind.New())
	finish.Query, finish.Media, finish.Body = writeParameters(""), documents, v1.ForceFinish{}
	table := []Route{log, retry, finish}
	if s.opts.Worker == nil {
		return table
	}
	plan := row(http.MethodPost, groupPath+inWorkspace+"plan", auth.Plan, s.plan, "Tell what a job would do, without creating it.", v1.Plan{})
	plan.Media, plan.Body = documents, kind.New()
	return append(table, plan,
		row(http.MethodGet, jobs+"/{name}/explain", auth.Explain, s.explain, "Tell why a job waits.", v1.JobExplanation{}))
}

// viewRoutes show what the worker knows and no object holds.
func (s *Server) viewRoutes() []Route {
	if s.opts.Worker == nil {
		return nil
	}
	const revisions, projects, sessions, servers = "revisions", "projects", "mcpsessions", "mcpservers"
	project := v1.Kind{Name: "Project", Resource: projects, Namespaced: true}
	revision := v1.Kind{Name: "Revision", Resource: revisions, Namespaced: true}
	server := v1.Kind{Name: "MCPServer", Resource: servers}
	row := func(pattern string, kind v1.Kind, verb auth.Verb, scope Scope, handle handler, summary string, answer any) Route {
		return Route{Method: http.MethodGet, Pattern: pattern, Kind: kind, Verb: verb, Scope: scope, handle: handle, Summary: summary, Answer: answer}
	}
	newest := row(groupPath+inWorkspace+revisions, revision, auth.List, PathWorkspace, s.listRevisions, "List the newest revision of each compose project.", v1.RevisionList{})
	history := row(groupPath+inWorkspace+revisions+"/{project}", revision, auth.List, PathWorkspace, s.listRevisions, "List the revisions of a compose project.", v1.RevisionList{})
	newest.Query, history.Query = revisionParameters(), revisionParameters()
	forget := row(groupPath+inWorkspace+projects+"/{name}", project, auth.Delete, PathWorkspace, s.forgetProject, "Forget a compose project that has no containers: its revisions and the images they hold.", metav1.Status{})
	forget.Method = http.MethodDelete
	tools := row("/api/mcp/servers/{name}/tools", server, auth.ListTools, NoWorkspace, s.mcpTools, "List the tools of an MCP server; starts it if need be.", v1.MCPToolList{})
	tools.Effects = true
	return []Route{
		newest, history, forget, tools,
		row(groupPath+inWorkspace+projects, project, auth.List, PathWorkspace, s.listProjects, "List the compose projects of a workspace.", v1.ProjectList{}),
		row("/api/mcp/servers", server, auth.List, NoWorkspace, s.mcpServers, "List the operator's MCP servers.", v1.MCPServerList{}),
		row(groupPath+inWorkspace+sessions, v1.Kind{Name: "MCPSession", Resource: sessions, Namespaced: true}, auth.List, PathWorkspace, s.mcpSessions,
			"List the open sessions with MCP servers.", v1.MCPSessionList{}),
	}
}

// eventRoutes serve what happened to jobs as core/v1 Events, read only, where kubectl
// looks for them.
func (s *Server) eventRoutes() []Route {
	var table []Route
	for pattern, scope := range map[string]Scope{corePath + "/events": EveryWorkspace, corePath + inWorkspace + "events": PathWorkspace} {
		table = append(table,
			Route{
				Method: http.MethodGet, Pattern: pattern, Kind: eventKind(), Verb: auth.List, Scope: scope, handle: s.listEvents,
				Summary: "List what happened to jobs, the newest first.", Query: eventParameters(listParameters()), Answer: core.EventList{},
			},
			Route{
				Method: http.MethodGet, Pattern: pattern, Kind: eventKind(), Verb: auth.Watch, Scope: scope, handle: s.watchEvents,
				Summary: "Stream what happens to jobs.", Query: eventParameters(watchParameters()), Answer: core.Event{},
			},
		)
	}
	return table
}

// discoveryRoutes describe the API, as the Kubernetes API does.
func (s *Server) discoveryRoutes() []Route {
	row := func(pattern string, answer func() any, summary string) Route {
		return Route{
			Method: http.MethodGet, Pattern: pattern, Verb: auth.Discover, Scope: NoWorkspace, handle: serves(answer),
			Summary: summary, Answer: answer(),
		}
	}
	return []Route{
		row("/api", s.coreVersions, "List the versions of the core group."),
		row(corePath, s.coreResources, "List the resources of the core group."),
		row("/apis", s.groups, "List the API groups."),
		row("/apis/"+v1.Group, s.group, "Describe the API group."),
		row(groupPath, s.groupResources, "List the resources of the API group."),
		row("/version", s.version, "Tell the server's version."),
		row("/api/types", func() any { return s.opts.Kinds.Payloads().List() }, "List the types of jobs."),
	}
}

// serverRoutes are for operators and for people: probes, backup, metrics and the page.
func (s *Server) serverRoutes() []Route {
	row := func(method, pattern string, handle handler, summary string) Route {
		return Route{Method: method, Pattern: pattern, Verb: auth.Discover, Scope: NoWorkspace, shape: shapeText, handle: handle, Summary: summary, Answer: ""}
	}
	table := []Route{
		row(http.MethodGet, "/livez", livez, "Tell whether the server lives."),
		row(http.MethodGet, "/readyz", s.readyz, "Tell whether the server can do its work, and what the operator should know."),
	}
	if s.opts.Operator != nil {
		backup := row(http.MethodGet, "/api/backup", s.backup, "Copy the whole store.")
		backup.Verb, backup.shape, backup.Answer = auth.Backup, shapeStatus, metav1.List{}
		table = append(table, backup)
	}
	foreign := func(method, pattern string, h http.Handler, summary string) Route {
		r := row(method, pattern, func(w http.ResponseWriter, r *request) error {
			h.ServeHTTP(w, r.Request)
			return nil
		}, summary)
		r.uncounted = true
		return r
	}
	if s.opts.Metrics != nil {
		table = append(table, foreign(http.MethodGet, "/metrics", s.opts.Metrics, "Read the metrics."))
	}
	if s.opts.Web != nil {
		table = append(table,
			foreign("", "/jobs", s.opts.Web, "Show the page."),
			foreign("", "/jobs/", s.opts.Web, "Read a file of the page."),
			foreign(http.MethodGet, "/{$}", http.RedirectHandler("/jobs", http.StatusFound), "Go to the page."),
		)
	}
	return table
}

// kind finds a kind that is served.
func (s *Server) kind(name string) v1.Kind {
	kind, _ := s.opts.Kinds.ByName(name)
	return kind
}
