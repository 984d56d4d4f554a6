package session

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/questions"
)

// codeDeclined is the code of the specification's example for a sampling request that the
// user has rejected.
const codeDeclined = -1

// newClient makes the client of a session. The client declares roots where the operator's
// file names some, elicitation where the file allows it, and no sampling. A server that asks
// gets an answer at once, and the job's log a line.
func (s *Session) newClient() *sdk.Client {
	server := s.opts.Server
	capabilities := &sdk.ClientCapabilities{}
	if len(server.Roots) > 0 {
		capabilities.RootsV2 = &sdk.RootCapabilities{}
	}
	if server.Asks() {
		capabilities.Elicitation = &sdk.ElicitationCapabilities{Form: &sdk.FormElicitationCapabilities{}}
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "jobwright", Version: s.opts.Version}, &sdk.ClientOptions{
		Capabilities: capabilities, MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true}, // Call does it
	})
	s.roots = &sdk.ListRootsResult{Roots: []*sdk.Root{}}
	for _, root := range server.Roots {
		uri := url.URL{Scheme: "file", Path: filepath.ToSlash(root)}
		s.roots.Roots = append(s.roots.Roots, &sdk.Root{URI: uri.String(), Name: filepath.Base(root)})
	}
	client.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, request sdk.Request) (sdk.Result, error) {
			switch method {
			case "roots/list":
				return s.tellRoots(), nil
			case "sampling/createMessage":
				return nil, s.declineSampling()
			case "elicitation/create":
				params, _ := request.GetParams().(*sdk.ElicitParams)
				return s.answer(params), nil
			}
			return next(ctx, method, request)
		}
	})
	return client
}

// Note writes Jobwright's own words to the log of the job whose call is under way.
func (s *Session) Note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		s.sink.Line(action.System, s.Redact(text))
	}
}

func (s *Session) tellRoots() *sdk.ListRootsResult {
	s.Note(fmt.Sprintf("the server asked for its roots (roots/list); the --mcp-config file names %d", len(s.roots.Roots)))
	return s.roots
}

func (s *Session) declineSampling() error {
	s.Note("the server asked for the answer of a language model (sampling/createMessage); declined: jobs have none")
	return &jsonrpc.Error{Code: codeDeclined, Message: "sampling is declined: Jobwright has no language model"}
}

// Answering gives the session the answers of the job under way.
func (s *Session) Answering(asked *questions.Questions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.questions = asked
}

// Asked is the questions of the call under way; nil: no call is under way.
func (s *Session) Asked() *questions.Questions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.questions
}

func (s *Session) answer(params *sdk.ElicitParams) *sdk.ElicitResult {
	result, note := s.Asked().Answer(params, s.opts.Server)
	s.Note(note)
	return result
}
