package mcp

import (
	"fmt"

	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/oauth"
)

// tokensFor gets tokens for a server, over its own round tripper.
func (r *Runner) tokensFor(name string, s Server) (*oauth.Source, error) {
	base, err := endpoint.Dial(s)
	if err != nil {
		return nil, err
	}
	source, err := oauth.New(*s.OAuth, name, s.URL, base, oauth.Options{
		Tokens: r.opts.Tokens,
		Asked:  func(err error) { r.metrics.asked(name, err) },
		Found: func(issuer, endpoint string) {
			r.opts.Log.Info("found where tokens for an MCP server come from", "server", name, "issuer", issuer, "tokenEndpoint", endpoint)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return source, nil
}
