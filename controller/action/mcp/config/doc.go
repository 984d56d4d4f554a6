// Package config reads the operator's MCP servers from a file in the format that MCP
// clients share, as the clients themselves write it.
//
// # Files
//
// The servers stand below mcpServers, servers (VS Code), context_servers (Zed), or
// mcp.servers; mcp itself (opencode), or a file without any of them, may be the map of
// servers. Comments,
// trailing commas, a byte order mark and CRLF are read (document.go). A file is at most
// 1 MiB, 64 levels deep and has at most 500 servers.
//
// Each key of a server is honoured, or passed over because it means nothing to jobs, or
// refused by its name and line (keys.go): no key is without effect in silence. A key that nobody knows is refused with the one that it resembles.
//
// Only Jobwright knows these:
//
//	caFile               certificate authorities, in PEM, for an https url
//	roots                the folders that the server is told when it asks for them
//	plan                 {TOOL: PREVIEW}: the tool that tells the changes that TOOL would make
//	elicitation          the answers to a server's questions: off (the default): none, and
//	                     the server is told so; answers: those of the job; defaults: also
//	                     the defaults of the question
//	shared               true: all workspaces use the same sessions
//	sessions             how many sessions a workspace has
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
//	refreshToken, refreshTokenFile     exchanged for tokens in place of its own credentials
//	scopes                             the scopes asked for; unset: those that the server wants
//	issuer, tokenUrl, resource         in place of the values of the server's metadata; an
//	                                   empty resource is not sent
//	audience                           sent where an authorization server wants one
//	tokenEndpointAuthMethod            client_secret_basic, client_secret_post,
//	                                   private_key_jwt or none
//
// Secrets do not stand in the file: they are references, or in files of their own. Keys
// for a browser (redirectUri, callbackPort, authorizationUrl) are passed over, and a
// definition that has no others is refused.
//
// Many authorization servers replace the refresh token with each use. The newest one is kept
// in the data folder if jobwright serve has a --mcp-token-key-file, and in memory only
// otherwise; the token in the file counts again when it is changed there.
//
// # References
//
// In command, args, cwd, env, headers, url, roots, caFile and oauth, references are
// replaced in one pass; an inserted value is never read again (expand.go):
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
// # Faults
//
// A file that is no JSON, or has no servers, is an error of Load. Any other fault is a
// Problem of one server. That server cannot be used: jobs for it fail with ServerUnavailable
// and the problem, and the server is Broken in the list of servers and in the metric
// jobwright_mcp_server_broken. The other servers are used. A Warning is of no consequence,
// but is probably a mistake.
//
// # Secrets
//
// Headers, arguments, environment and the query of a url are in no message and no answer of
// the API; values of env, headers and oauth are in no problem and no warning. A server's own
// text, in its output or in a failure, has *** in place of these values: headers, the
// parameters of the url, OAuth secrets, the variables of env whose names tell that they hold
// a secret, and the values of ${NAME} with such a name (Secrets).
//
// The answer of a tool has *** in place of the credentials among these values that have at
// least eight bytes (Credentials): a shorter one, or a language in a header, is a word that
// results have by chance. A job's own words are never masked for it, and no part of a value
// is, so that a mask does not tell which guess was right (secrets.Guarded). A tool that makes
// text of its arguments can still be made to say guesses of whole values: a value that can be
// guessed is no secret.
package config
