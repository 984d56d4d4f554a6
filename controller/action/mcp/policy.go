package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/questions"
)

// maxRounds bounds how often a server may ask back before it answers one call.
const maxRounds = 10

// codeDeclined is what the specification's example answers a sampling request with that
// the user has rejected.
const codeDeclined = -1

// client makes the client of a session. It says beforehand what there is: roots where the
// operator has named some, questions (question.go) where the operator allows them, and no
// sampling. A server that asks gets an answer at once, and the job's log a line.
func (s *session) newClient(version string, server Server) *sdk.Client {
	capabilities := &sdk.ClientCapabilities{}
	if len(server.Roots) > 0 {
		capabilities.RootsV2 = &sdk.RootCapabilities{}
	}
	if server.Asks() {
		capabilities.Elicitation = &sdk.ElicitationCapabilities{Form: &sdk.FormElicitationCapabilities{}}
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "jobwright", Version: version}, &sdk.ClientOptions{
		Capabilities: capabilities, MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true}, // converse does it
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

// note writes Jobwright's own words to the log of the job whose call is under way.
func (s *session) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		s.sink.Line(action.System, s.redact(text))
	}
}

func (s *session) tellRoots() *sdk.ListRootsResult {
	s.note(fmt.Sprintf("the server asked for its roots (roots/list); the --mcp-config file names %d", len(s.roots.Roots)))
	return s.roots
}

func (s *session) declineSampling() error {
	s.note("the server asked for the answer of a language model (sampling/createMessage); declined: jobs have none")
	return &jsonrpc.Error{Code: codeDeclined, Message: "sampling is declined: Jobwright has no language model"}
}

// converse calls a tool, and answers what the server asks back meanwhile. Since 2026-07-28
// it asks with a result that is none yet, and the call is made again with the answers.
func (s *session) converse(ctx context.Context, params *sdk.CallToolParams) (*answer.Reply, error) {
	for range maxRounds {
		result, reply, err := s.call(ctx, params)
		if err != nil || reply != nil {
			return reply, err
		}
		again := *params
		again.RequestState, again.InputResponses = result.RequestState, sdk.InputResponseMap{}
		for id, request := range result.InputRequests {
			switch p := request.(type) {
			case *sdk.ListRootsParams:
				again.InputResponses[id] = s.tellRoots()
			case *sdk.ElicitParams:
				again.InputResponses[id] = s.answer(p)
			default:
				return nil, fmt.Errorf("the call cannot go on: %w", errors.New(s.declineSampling().Error()))
			}
		}
		params = &again
	}
	return nil, fmt.Errorf("it asked back %d times and did not answer", maxRounds)
}

// answering gives the session what the job under way answers to questions.
func (s *session) answering(asked *questions.Questions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.questions = asked
}

// asking is the questions of the call under way; nil: no call is under way.
func (s *session) asking() *questions.Questions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.questions
}

func (s *session) answer(params *sdk.ElicitParams) *sdk.ElicitResult {
	result, note := s.asking().Answer(params, s.server)
	s.note(note)
	return result
}
