package run

import (
	"strings"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

func newRunAPICall(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var call v1.APICallAction
	var headers []string
	var body string
	var timeout, redirects int32
	var expectHeaders, expectBody, take, secretHeaders []string
	var poll pollFlags
	command := &cobra.Command{
		Use: "api-call [URL]", Short: "Make an HTTP call; without a URL, a tracking record", Args: cobra.MaximumNArgs(1),
		Example: `  jobwright run api-call https://example.com/hook --body '{"ok":true}' --expect 200,202
  jobwright run api-call https://example.com/health --expect-header 'Content-Type: json' --expect-body '.status=ok' --result version=.version
  jobwright run api-call https://example.com/charge --body '{"amount":1}' --secret-header Authorization=pay-token --backoff-limit 3
  jobwright run api-call https://example.com/v1/exports -X POST --poll-url '/v1/{.name}' --poll-done .done=true --poll-failed .error`,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec := v1.JobSpec{Type: v1.JobTypeAPICall}
			if len(args) == 0 {
				return runJob(c, cmd.Context(), o, spec)
			}
			call.URL = args[0]
			for _, header := range headers {
				name, value, ok := strings.Cut(header, ":")
				if !ok {
					return cli.Usagef("--header %q: use NAME: VALUE", header)
				}
				if call.Headers == nil {
					call.Headers = map[string]v1.HeaderValue{}
				}
				call.Headers[strings.TrimSpace(name)] = v1.HeaderValue{Value: strings.TrimSpace(value)}
			}
			for _, header := range secretHeaders {
				name, secret, ok := strings.Cut(header, "=")
				if !ok {
					return cli.Usagef("--secret-header: use NAME=SECRET, the name of a secret of the server's file")
				}
				if call.Headers == nil {
					call.Headers = map[string]v1.HeaderValue{}
				}
				call.Headers[strings.TrimSpace(name)] = v1.HeaderValue{ValueFrom: &v1.ValueSource{SecretRef: secret}}
			}
			if body != "" {
				value, err := jsonValue(body)
				if err != nil {
					return err
				}
				call.Body = &value
			}
			if timeout > 0 {
				call.TimeoutSeconds = &timeout
			}
			if cmd.Flags().Changed("max-redirects") {
				call.MaxRedirects = &redirects
			}
			if err := expectations(&call, expectHeaders, expectBody, take); err != nil {
				return err
			}
			var err error
			if call.Poll, err = poll.read(); err != nil {
				return err
			}
			spec.APICall = &call
			return runJob(c, cmd.Context(), o, spec)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&call.Method, "method", "X", "", "HTTP method (default POST with a body, else GET)")
	flags.StringArrayVarP(&headers, "header", "H", nil, "NAME: VALUE")
	flags.StringArrayVar(&secretHeaders, "secret-header", nil, "NAME=SECRET, a header whose value is a secret of the server's --secrets file")
	flags.StringVar(&body, "body", "", "body: JSON, or else text; {\"valueFrom\": {\"secretRef\": NAME}} in it stands for a secret")
	flags.Int32SliceVar(&call.ExpectStatus, "expect", nil, "status codes that mean success (default any 2xx)")
	flags.StringArrayVar(&expectHeaders, "expect-header", nil, "NAME: EXPRESSION that the header must match")
	flags.StringArrayVar(&expectBody, "expect-body", nil, "JSONPATH=VALUE that the body must have, JSONPATH~EXPRESSION, or JSONPATH alone")
	flags.StringArrayVar(&take, "result", nil, "NAME=JSONPATH to take from the body into status.result.values")
	flags.Int32Var(&redirects, "max-redirects", 0, "how many redirects are followed, also such as turn the method into GET; 0: a redirect is the response; unset: 10, but one that would turn a method other than GET and HEAD into GET fails the call")
	flags.Int32Var(&timeout, "timeout", 0, "seconds that each request may take (default 30)")
	poll.bind(command)
	o.bind(command)
	return command
}

// expectations reads the flags about the response.
func expectations(call *v1.APICallAction, headers, body, take []string) error {
	expect := &v1.APICallExpect{}
	for _, header := range headers {
		name, pattern, ok := strings.Cut(header, ":")
		if !ok {
			return cli.Usagef("--expect-header %q: use NAME: EXPRESSION", header)
		}
		if expect.Headers == nil {
			expect.Headers = map[string]string{}
		}
		expect.Headers[strings.TrimSpace(name)] = strings.TrimSpace(pattern)
	}
	var err error
	if expect.Body, err = bodyExpectations(body); err != nil {
		return err
	}
	if len(headers)+len(body) > 0 {
		call.Expect = expect
	}
	for _, pair := range take {
		name, path, ok := strings.Cut(pair, "=")
		if !ok {
			return cli.Usagef("--result %q: use NAME=JSONPATH", pair)
		}
		if call.Result == nil {
			call.Result = map[string]string{}
		}
		call.Result[name] = path
	}
	return nil
}

// bodyExpectations reads JSONPATH=VALUE, JSONPATH~EXPRESSION and JSONPATH.
func bodyExpectations(texts []string) ([]v1.BodyExpectation, error) {
	var out []v1.BodyExpectation
	for _, text := range texts {
		one := v1.BodyExpectation{Path: text}
		// The first of the two that stands outside of the brackets of a filter.
		depth := 0
		for i, c := range text {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			if depth > 0 || c != '=' && c != '~' {
				continue
			}
			one.Path = text[:i]
			if c == '~' {
				one.Matches = text[i+1:]
				break
			}
			value, err := jsonValue(text[i+1:])
			if err != nil {
				return nil, err
			}
			one.Equals = &value
			break
		}
		out = append(out, one)
	}
	return out, nil
}

// pollFlags say how the end of an operation is waited for.
type pollFlags struct {
	wanted            bool
	url               string
	interval, timeout int32
	done, failed      []string
}

func (p *pollFlags) bind(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&p.wanted, "poll", false, "the call begins an operation: ask at the Location of a 202 until there is no 202 any more")
	flags.StringVar(&p.url, "poll-url", "", "where to ask; {JSONPATH} in it is taken from the response; implies --poll")
	flags.Int32Var(&p.interval, "poll-interval", 0, "seconds between two questions (default 5)")
	flags.Int32Var(&p.timeout, "poll-timeout", 0, "seconds the operation may take (default 3600)")
	flags.StringArrayVar(&p.done, "poll-done", nil, "JSONPATH=VALUE, JSONPATH~EXPRESSION or JSONPATH: it is done when all hold; implies --poll")
	flags.StringArrayVar(&p.failed, "poll-failed", nil, "the same: it has failed when one holds; implies --poll")
}

func (p *pollFlags) read() (*v1.APICallPoll, error) {
	if !p.wanted && p.url == "" && len(p.done)+len(p.failed) == 0 {
		if p.interval != 0 || p.timeout != 0 {
			return nil, cli.Usagef("--poll-interval and --poll-timeout go with --poll")
		}
		return nil, nil
	}
	poll := &v1.APICallPoll{URL: p.url}
	if p.interval != 0 {
		poll.IntervalSeconds = &p.interval
	}
	if p.timeout != 0 {
		poll.TimeoutSeconds = &p.timeout
	}
	var err error
	if poll.Done, err = bodyExpectations(p.done); err != nil {
		return nil, err
	}
	poll.Failed, err = bodyExpectations(p.failed)
	return poll, err
}
