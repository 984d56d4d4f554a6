package servers

import (
	"fmt"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/oauth"
)

// tokensFor gets tokens for a server, over its own round tripper.
func (set *Set) tokensFor(name string, def config.Server) (*oauth.Source, error) {
	base, err := endpoint.Dial(def)
	if err != nil {
		return nil, err
	}
	source, err := oauth.New(*def.OAuth, name, def.URL, base, oauth.Options{
		Tokens: set.opts.Tokens,
		Asked:  func(err error) { set.metrics.asked(name, err) },
		Found: func(issuer, endpoint string) {
			set.opts.Log.Info("found where tokens for an MCP server come from", "server", name, "issuer", issuer, "tokenEndpoint", endpoint)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return source, nil
}
