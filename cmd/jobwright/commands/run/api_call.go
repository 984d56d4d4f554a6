package run

import (
	"strings"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

func newRunAPICall(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var f callFlags
	command := &cobra.Command{
		Use: "api-call [URL]", Short: "Make an HTTP call; without a URL, a tracking record", Args: cobra.MaximumNArgs(1),
		Example: `  jobwright run api-call https://example.com/hook --body '{"ok":true}' --expect 200,202
  jobwright run api-call https://example.com/health --expect-header 'Content-Type: json' --expect-body '.status=ok' --result version=.version
  jobwright run api-call https://example.com/charge --body '{"amount":1}' --secret-header Authorization=pay-token --backoff-limit 3
  jobwright run api-call https://example.com/v1/exports -X POST --poll-url '/v1/{.name}' --poll-done .done=true --poll-failed .error`,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec := v1.JobSpec{Type: v1.JobTypeAPICall}
			if len(args) > 0 {
				var err error
				if spec.APICall, err = f.read(args[0], cmd.Flags().Changed("max-redirects")); err != nil {
					return err
				}
			}
			return runJob(cmd.Context(), c, o, spec)
		},
	}
	f.bind(command)
	o.bind(command)
	return command
}

// callFlags are the flags of an HTTP call.
type callFlags struct {
	call                            v1.APICallAction
	body                            string
	timeout, redirects              int32
	headers, secretHeaders          []string
	expectHeaders, expectBody, take []string
	poll                            pollFlags
}

func (f *callFlags) bind(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVarP(&f.call.Method, "method", "X", "", "HTTP method (default POST with a body, else GET)")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "NAME: VALUE")
	flags.StringArrayVar(&f.secretHeaders, "secret-header", nil, "NAME=SECRET, a header whose value is a secret of the server's --secrets file")
	flags.StringVar(&f.body, "body", "", "body: JSON, or else text; {\"valueFrom\": {\"secretRef\": NAME}} in it stands for a secret")
	flags.Int32SliceVar(&f.call.ExpectStatus, "expect", nil, "status codes that mean success (default any 2xx)")
	flags.StringArrayVar(&f.expectHeaders, "expect-header", nil, "NAME: EXPRESSION that the header must match")
	flags.StringArrayVar(&f.expectBody, "expect-body", nil, "JSONPATH=VALUE that the body must have, JSONPATH~EXPRESSION, or JSONPATH alone")
	flags.StringArrayVar(&f.take, "result", nil, "NAME=JSONPATH to take from the body into status.result.values")
	flags.Int32Var(&f.redirects, "max-redirects", 0, "redirects to follow, including those that change the method to GET; 0: a redirect is the response; unset: 10, and a redirect that would change a method other than GET and HEAD fails the call")
	flags.Int32Var(&f.timeout, "timeout", 0, "seconds that each request may take (default 30)")
	f.poll.bind(command)
}

// read returns the call that the flags describe; redirects tells whether --max-redirects
// was given.
func (f *callFlags) read(url string, redirects bool) (*v1.APICallAction, error) {
	call := &f.call
	call.URL = url
	var err error
	if call.Headers, err = requestHeaders(f.headers, f.secretHeaders); err != nil {
		return nil, err
	}
	if f.body != "" {
		value, err := jsonValue(f.body)
		if err != nil {
			return nil, err
		}
		call.Body = &value
	}
	if f.timeout > 0 {
		call.TimeoutSeconds = &f.timeout
	}
	if redirects {
		call.MaxRedirects = &f.redirects
	}
	if err := expectations(call, f.expectHeaders, f.expectBody, f.take); err != nil {
		return nil, err
	}
	call.Poll, err = f.poll.read()
	return call, err
}

// requestHeaders parses NAME: VALUE and NAME=SECRET flags.
func requestHeaders(plain, secret []string) (map[string]v1.HeaderValue, error) {
	if len(plain)+len(secret) == 0 {
		return nil, nil
	}
	headers := map[string]v1.HeaderValue{}
	for _, text := range plain {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, cli.Usagef("--header %q: use NAME: VALUE", text)
		}
		headers[strings.TrimSpace(name)] = v1.HeaderValue{Value: strings.TrimSpace(value)}
	}
	for _, text := range secret {
		name, ref, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--secret-header: use NAME=SECRET, the name of a secret of the server's file")
		}
		headers[strings.TrimSpace(name)] = v1.HeaderValue{ValueFrom: &v1.ValueSource{SecretRef: ref}}
	}
	return headers, nil
}

// expectations parses the flags about the response.
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

// bodyExpectations parses JSONPATH=VALUE, JSONPATH~EXPRESSION and JSONPATH.
func bodyExpectations(texts []string) ([]v1.BodyExpectation, error) {
	var out []v1.BodyExpectation
	for _, text := range texts {
		one := v1.BodyExpectation{Path: text}
		// The first = or ~ outside the brackets of a filter separates path and value.
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
