// Package config reads the operator's MCP servers from a file in the format that MCP
// clients share, as the clients themselves write it.
//
// # What is read
//
// The servers stand below mcpServers, servers (VS Code), context_servers (Zed), or
// mcp.servers; mcp itself (opencode), or a file without any of them, may be the map of
// servers. Comments,
// trailing commas, a byte order mark and CRLF are read (document.go). A file is at most
// 1 MiB, 64 levels deep and has at most 500 servers.
//
// Each key of a server is honoured, or passed over because it means nothing to jobs, or
// refused by its name and line (keys.go): what is written there is never silently without
// effect. A key that nobody knows is refused with the one that it resembles.
//
// Only Jobwright knows these:
//
//	caFile               certificate authorities, in PEM, for an https url
//	roots                the folders that the server is told when it asks for them
//	plan                 {TOOL: PREVIEW}: the tool that tells what another would do
//	elicitation          what the server is told that asks back: off (the default) that
//	                     nothing can be asked, answers those of the job, defaults also
//	                     the question's own
//	shared               true: all workspaces use the same sessions
//	sessions             how many there are
//	startTimeoutSeconds  for the start of the server
//	timeoutSeconds       for one call, as timeout is, whose unit depends on the client
//
// # OAuth
//
// oauth, and auth as Cursor has it, get tokens for a server behind HTTP without a person
// (package oauth):
//
//	clientId                           the name that Jobwright has there
//	clientSecret, clientSecretFile     its secret
//	privateKey, privateKeyFile         or the key, in PEM, that signs its assertions, with
//	algorithm, keyId                   another algorithm than the usual one; its name
//	refreshToken, refreshTokenFile     what is exchanged in place of its own credentials
//	scopes                             what is asked for; unset: what the server wants
//	issuer, tokenUrl, resource         in place of what the server's metadata says; an
//	                                   empty resource is not sent
//	audience                           sent where an authorization server wants one
//	tokenEndpointAuthMethod            client_secret_basic, client_secret_post,
//	                                   private_key_jwt or none
//
// Secrets do not stand in the file: they are references, or in files of their own. What is
// for a browser (redirectUri, callbackPort, authorizationUrl) is passed over, and a
// definition that has nothing else is refused.
//
// Many authorization servers replace the refresh token with each use. The newest one is kept
// in the data folder if jobwright serve has a --mcp-token-key-file, and in memory only
// otherwise; what stands in the file counts again when it is changed there.
//
// # References
//
// In command, args, cwd, env, headers, url, roots, caFile and oauth, references are
// replaced in one pass; what is inserted is never read again (expand.go):
//
//	${NAME} ${env:NAME}        a variable of Jobwright's own environment
//	${NAME:-text}              the same, or text where it is unset or empty
//	$NAME                      the same as ${NAME}: in headers, and as a whole value of env
//	${workspaceFolder}         the file's folder, or the one above a .vscode, .cursor …
//	${userHome} and ~/         the home folder; ~/ at the beginning of a text
//	${pathSeparator} ${/}      /
//
// Every other ${…} is an error that names it. Of ${input:NAME} the error says what the
// file's inputs say of it: there is nobody to ask.
//
// # What is wrong
//
// A file that is no JSON, or has no servers, is an error of Load. Everything else is a
// Problem of one server: that server alone cannot be used, and says why; the others can.
// A Warning is of no consequence here, but is hardly what was meant.
//
// Values of env, headers and oauth stand in no problem and no warning.
package config
