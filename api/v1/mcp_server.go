package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MCPServerState is what is known of an MCP server.
type MCPServerState string

// The states of an MCPServer.
const (
	// MCPServerUnused: nobody has needed it yet.
	MCPServerUnused MCPServerState = "Unused"
	// MCPServerStarting: its first session starts.
	MCPServerStarting MCPServerState = "Starting"
	// MCPServerIdle: its last start went well; no session is open now.
	MCPServerIdle MCPServerState = "Idle"
	// MCPServerConnected: it has sessions.
	MCPServerConnected MCPServerState = "Connected"
	// MCPServerFailed: its last start failed, and it has no session.
	MCPServerFailed MCPServerState = "Failed"
	// MCPServerBroken: what the operator's file says of it cannot be used; error says why.
	MCPServerBroken MCPServerState = "Broken"
	// MCPServerDisabled: the operator's file disables it.
	MCPServerDisabled MCPServerState = "Disabled"
)

// MCPServer is one of the operator's MCP servers, without what may be secret of it: its
// arguments, environment and headers. It is computed when it is asked for.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPServer struct {
	// name is what spec.build.server says.
	Name string `json:"name"`
	// type is how it is spoken to: stdio, http or sse.
	Type string `json:"type"`
	// state is what is known of it.
	State MCPServerState `json:"state"`
	// shared tells that all workspaces use the same sessions.
	Shared bool `json:"shared,omitempty"`
	// starting, calling and idle are its sessions, of all workspaces. maxSessions is how many
	// calls at once one workspace has, or all of them together with a shared server.
	Starting    int `json:"starting"`
	Calling     int `json:"calling"`
	Idle        int `json:"idle"`
	MaxSessions int `json:"maxSessions"`
	// serverName, serverVersion and protocol are what it said when it was last started.
	// Unset: it has not been started.
	ServerName    string `json:"serverName,omitempty"`
	ServerVersion string `json:"serverVersion,omitempty"`
	Protocol      string `json:"protocol,omitempty"`
	// error is why its last start failed, or why it is not used at all. Unset: neither.
	Error string `json:"error,omitempty"`
}

// MCPTool is one tool of an MCP server, as the server describes it.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPTool struct {
	// name is what spec.build.action says.
	Name string `json:"name"`
	// title and description are for people.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// readOnly, idempotent and destructive are the server's word on what a call does.
	ReadOnly    bool `json:"readOnly"`
	Idempotent  bool `json:"idempotent"`
	Destructive bool `json:"destructive"`
	// preview is the tool that tells what this one would do, if the operator has named one.
	Preview string `json:"preview,omitempty"`
	// inputSchema and outputSchema are JSON Schemas, of the arguments and of the result.
	InputSchema  *JSON `json:"inputSchema,omitempty"`
	OutputSchema *JSON `json:"outputSchema,omitempty"`
}

// MCPSessionState is what an open session does.
type MCPSessionState string

// The states of an MCPSession.
const (
	// MCPSessionStarting: its server starts, or introduces itself.
	MCPSessionStarting MCPSessionState = "Starting"
	// MCPSessionCalling: a job uses it.
	MCPSessionCalling MCPSessionState = "Calling"
	// MCPSessionIdle: it waits for the next job.
	MCPSessionIdle MCPSessionState = "Idle"
)

// MCPSession is a session with an MCP server that is open. It is computed when it is
// asked for.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPSession struct {
	// server is the server's name.
	Server string `json:"server"`
	// workspace is the one that the session serves. Unset: it serves all workspaces.
	Workspace string `json:"workspace,omitempty"`
	// name is what spec.build.session says. Unset: jobs that name none use it.
	Name string `json:"name,omitempty"`
	// state is what it does.
	State MCPSessionState `json:"state"`
	// startTime is when it was started.
	StartTime metav1.Time `json:"startTime"`
	// since is when it came into its state.
	Since metav1.Time `json:"since"`
	// calls is how many calls it has served, the one under way included.
	Calls int `json:"calls"`
	// pid is the number of its process. Unset: it has none here, but goes over HTTP.
	PID int `json:"pid,omitempty"`
}

// MCPSessionList is the answer to GET …/namespaces/WORKSPACE/mcpsessions.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPSessionList struct {
	Items []MCPSession `json:"items"`
}

// MCPServerList is the answer to GET /api/mcp/servers.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPServerList struct {
	Items []MCPServer `json:"items"`
}

// MCPToolList is the answer to GET /api/mcp/servers/NAME/tools.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPToolList struct {
	Items []MCPTool `json:"items"`
}
