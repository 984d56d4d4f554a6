package mcp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/wire"
)

// negotiated is a session in a version of the protocol that the server speaks. By the
// specification a server answers initialize with the version that it would rather speak;
// some refuse a version that they do not know and name those that they do. Such a server is
// asked again with the newest of those, and from then on at once.
func (r *Runner) negotiated(ctx context.Context, p *pool, sink action.Sink, old *memory.Task) (*session, error) {
	if version := p.version.Load(); version != nil {
		return r.open(ctx, p, sink, old, *version)
	}
	s, err := r.introduced(ctx, p, sink, old)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	version := offered(err)
	if version == "" {
		return s, err
	}
	if s != nil {
		s.note(fmt.Sprintf("MCP server %s refuses today's protocol (%v); it is asked for version %s", p.name, err, version))
		s.Close(0)
		s.end()
	}
	if s, err = r.open(ctx, p, sink, old, version); err == nil {
		p.version.Store(&version)
	}
	return s, err
}

var versionDate = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)

// offered is the newest version before the one that was asked for that a server names where
// it refuses that; empty: it names none, or refuses for another reason.
func offered(err error) string {
	text := err.Error()
	if rpc, ok := errors.AsType[*jsonrpc.Error](err); ok {
		text += " " + string(rpc.Data)
	}
	if !strings.Contains(strings.ToLower(text), "version") {
		return ""
	}
	named := versionDate.FindAllString(text, -1)
	for _, version := range wire.Versions {
		if version < legacyProtocol && slices.Contains(named, version) {
			return version
		}
	}
	return ""
}
