package session

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/wire"
)

// LegacyProtocol is the last version that begins with initialize.
const LegacyProtocol = "2025-11-25"

// Manner is the version of the protocol that a server wants, as its sessions find out. A
// Manner is safe for concurrent use.
type Manner struct {
	legacy  atomic.Bool            // as before 2026-07-28
	version atomic.Pointer[string] // in this version; nil: the server has not said
}

// negotiated opens a session in a version of the protocol that the server speaks. By the
// specification a server answers initialize with the version that it prefers. Some servers
// refuse an unknown version and name the versions that they know. Such a server is asked
// again with the newest of these, and later sessions use that version at once.
func negotiated(ctx context.Context, opts *Options) (*Session, error) {
	if version := opts.Manner.version.Load(); version != nil {
		return open(ctx, opts, *version)
	}
	s, err := introduced(ctx, opts)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	version := offered(err)
	if version == "" {
		return s, err
	}
	if s != nil {
		s.Note(fmt.Sprintf("MCP server %s refuses today's protocol (%v); it is asked for version %s", opts.Name, err, version))
		s.Close(0)
		s.End()
	}
	if s, err = open(ctx, opts, version); err == nil {
		opts.Manner.version.Store(&version)
	}
	return s, err
}

// introduced opens a session with a server that answers the introduction. Since 2026-07-28 a
// client asks server/discover first. Of the older servers some end when the first request is
// not initialize, and some never answer. So a program that ends before its first answer, or
// that has read the request and then says nothing for Options.FirstTry, is started once more
// in the protocol before; later sessions use that protocol at once.
func introduced(ctx context.Context, opts *Options) (*Session, error) {
	if opts.Manner.legacy.Load() || opts.Server.Type == config.TypeSSE {
		return open(ctx, opts, LegacyProtocol)
	}
	s, err := open(ctx, opts, "")
	if err == nil || s == nil || opts.Server.Type != "stdio" || s.peer.Answered() || ctx.Err() != nil {
		return s, err
	}
	if !errors.Is(err, errQuiet) && s.peer.Failure() != nil {
		return s, err // the server has told the reason
	}
	words := "" // of a program that ended by itself
	if !errors.Is(err, errQuiet) {
		words = s.LastWords()
	}
	s.Close(0)
	again, err := open(ctx, opts, LegacyProtocol)
	if err != nil && again != nil && !again.peer.Answered() {
		again.Close(0) // the protocol is not the reason
		again.End()
		return nil, fmt.Errorf("%w%s", err, words)
	}
	opts.Manner.legacy.Store(err == nil)
	return again, err
}

// versionDate is compiled when a server first refuses a version.
var versionDate = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`) })

// offered is the newest older version that a server names where it refuses the version of a
// request; empty: the server names none, or refuses for another reason.
func offered(err error) string {
	text := err.Error()
	if rpc, ok := errors.AsType[*jsonrpc.Error](err); ok {
		text += " " + string(rpc.Data)
	}
	if !strings.Contains(strings.ToLower(text), "version") {
		return ""
	}
	named := versionDate().FindAllString(text, -1)
	for _, version := range wire.Versions {
		if version < LegacyProtocol && slices.Contains(named, version) {
			return version
		}
	}
	return ""
}
