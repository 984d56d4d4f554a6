package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MCPServerState is the state of an MCP server as last observed.
type MCPServerState string

// The states of an MCPServer.
const (
	// MCPServerUnused: no job has used the server yet.
	MCPServerUnused MCPServerState = "Unused"
	// MCPServerStarting: the first session is being opened.
	MCPServerStarting MCPServerState = "Starting"
	// MCPServerIdle: the last start succeeded, and no session is open.
	MCPServerIdle MCPServerState = "Idle"
	// MCPServerConnected: at least one session is open.
	MCPServerConnected MCPServerState = "Connected"
	// MCPServerFailed: the last start failed, and no session is open.
	MCPServerFailed MCPServerState = "Failed"
	// MCPServerBroken: the server's entry in the operator's file is invalid; error says why.
	MCPServerBroken MCPServerState = "Broken"
	// MCPServerDisabled: the operator's file disables it.
	MCPServerDisabled MCPServerState = "Disabled"
)

// MCPServer is one of the operator's MCP servers. It leaves out arguments, environment and
// headers, which may be secret. It is computed on request and never stored.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPServer struct {
	// name is the server's name in spec.build.server.
	Name string `json:"name"`
	// type is the transport: stdio, http or sse.
	Type string `json:"type"`
	// state is the state as last observed.
	State MCPServerState `json:"state"`
	// shared means that all workspaces use the same sessions.
	Shared bool `json:"shared,omitempty"`
	// starting, calling and idle count the sessions of all workspaces by state. maxSessions
	// limits the concurrent calls of one workspace, or of all of them on a shared server.
	Starting    int `json:"starting"`
	Calling     int `json:"calling"`
	Idle        int `json:"idle"`
	MaxSessions int `json:"maxSessions"`
	// serverName, serverVersion and protocol are from the last start of the server. Unset:
	// the server has not been started.
	ServerName    string `json:"serverName,omitempty"`
	ServerVersion string `json:"serverVersion,omitempty"`
	Protocol      string `json:"protocol,omitempty"`
	// error is why the last start failed, or why the server cannot be used. Unset: neither.
	Error string `json:"error,omitempty"`
	// notes are what was wrong with the server's list of tools when it was last read: a page
	// that repeats, a name that occurs twice. What could be read is used. Unset: nothing.
	Notes []string `json:"notes,omitempty"`
}

// MCPTool is one tool of an MCP server, as the server describes it.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPTool struct {
	// name is the tool's name in spec.build.action.
	Name string `json:"name"`
	// title and description are for people.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// readOnly, idempotent and destructive are the hints of the server about a call.
	ReadOnly    bool `json:"readOnly"`
	Idempotent  bool `json:"idempotent"`
	Destructive bool `json:"destructive"`
	// preview is the tool that the operator configured to preview this one. Unset: none.
	Preview string `json:"preview,omitempty"`
	// inputSchema and outputSchema are the JSON Schemas of the arguments and the result.
	InputSchema  *JSON `json:"inputSchema,omitempty"`
	OutputSchema *JSON `json:"outputSchema,omitempty"`
}

// MCPSessionState is the state of an open session.
type MCPSessionState string

// The states of an MCPSession.
const (
	// MCPSessionStarting: the server starts, or the protocol is being initialized.
	MCPSessionStarting MCPSessionState = "Starting"
	// MCPSessionCalling: a job uses the session.
	MCPSessionCalling MCPSessionState = "Calling"
	// MCPSessionIdle: the session waits for the next job.
	MCPSessionIdle MCPSessionState = "Idle"
)

// MCPSession is an open session with an MCP server. It is computed on request and never
// stored.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type MCPSession struct {
	// server is the server's name.
	Server string `json:"server"`
	// workspace is the workspace that the session serves. Unset: all workspaces.
	Workspace string `json:"workspace,omitempty"`
	// name is spec.build.session of its jobs. Unset: it serves jobs without a session name.
	Name string `json:"name,omitempty"`
	// state is the session's state.
	State MCPSessionState `json:"state"`
	// startTime is when the session was opened.
	StartTime metav1.Time `json:"startTime"`
	// since is when the session entered its state.
	Since metav1.Time `json:"since"`
	// calls counts the calls of the session, including the current one.
	Calls int `json:"calls"`
	// pid is the process id of the server. Unset: the session uses HTTP.
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
