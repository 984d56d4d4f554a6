package apicall

import (
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/outbound"
)

func answers(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func raw(text string) *v1.JSON { return &v1.JSON{Raw: []byte(text)} }

func TestAResponseIsAsExpected(t *testing.T) {
	const body = `{"status":{"ready":true,"phase":"Up","n":3},"items":[{"name":"a"},{"name":"b"}]}`
	expect := func(path string, equals *v1.JSON, matches string) *v1.APICallExpect {
		return &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: path, Equals: equals, Matches: matches}}}
	}
	for name, tc := range map[string]struct {
		expect  *v1.APICallExpect
		result  map[string]string
		body    string // instead of body
		limit   int64
		reason  string
		message string
		values  string
	}{
		"a value":                    {expect: expect("{.status.ready}", raw("true"), "")},
		"a number":                   {expect: expect("status.n", raw("3"), "")},
		"an object":                  {expect: expect("$.items[0]", raw(`{ "name": "a" }`), "")},
		"one of several":             {expect: expect(".items[*].name", raw(`"b"`), "")},
		"found by a filter":          {expect: expect(`{.items[?(@.name=="b")].name}`, nil, "^b$")},
		"a text that matches":        {expect: expect(".status.phase", nil, "^U")},
		"something is there":         {expect: expect(".status", nil, "")},
		"another value":              {expect: expect(".status.ready", raw("false"), ""), reason: v1.ReasonUnexpectedResponse, message: "spec.apiCall.expect.body[0]: .status.ready is true; expected is false"},
		"a text that does not match": {expect: expect(".status.phase", nil, "^D"), reason: v1.ReasonUnexpectedResponse, message: `.status.phase is "Up", which does not match "^D"`},
		"nothing is there":           {expect: expect(".status.none", nil, ""), reason: v1.ReasonUnexpectedResponse, message: ".status.none leads nowhere"},
		"a path that is none":        {expect: expect("{.a[}", nil, ""), reason: v1.ReasonInvalidArguments, message: "spec.apiCall.expect.body[0].path"},
		"a path that would multiply what it finds": {expect: expect("{.a[0,0][0,0]}", nil, ""), reason: v1.ReasonInvalidArguments, message: "lists of names or indexes"},
		"a path that descends twice":               {expect: expect("{..a..b}", nil, ""), reason: v1.ReasonInvalidArguments, message: "once only"},
		"a path of several":                        {expect: expect("{.a}{.b}", nil, ""), reason: v1.ReasonInvalidArguments, message: "one expression"},
		"a loop":                                   {expect: expect("{range .items[*]}", nil, ""), reason: v1.ReasonInvalidArguments, message: "range"},
		"a comma in a text":                        {expect: expect(`{.items[?(@.name=="b,c")]}`, nil, ""), reason: v1.ReasonUnexpectedResponse, message: "leads nowhere"},
		"an expression that is none":               {expect: expect(".a", nil, "("), reason: v1.ReasonInvalidArguments, message: "spec.apiCall.expect.body[0].matches"},
		"a header":                                 {expect: &v1.APICallExpect{Headers: map[string]string{"x-kind": "^te"}}},
		"another header":                           {expect: &v1.APICallExpect{Headers: map[string]string{"X-Kind": "^no"}}, reason: v1.ReasonUnexpectedResponse, message: `expect.headers[X-Kind]: test does not match "^no"`},
		"a header that is missing":                 {expect: &v1.APICallExpect{Headers: map[string]string{"X-None": ""}}, reason: v1.ReasonUnexpectedResponse, message: "which is missing"},
		"a body that is no JSON":                   {expect: expect(".a", nil, ""), body: "<html>", reason: v1.ReasonUnexpectedResponse, message: "the body is no JSON (application/json, 6 bytes)"},
		"a body that is too large":                 {expect: expect(".status", nil, ""), limit: 10, reason: v1.ReasonUnexpectedResponse, message: "larger than the 10 bytes that the server reads (--max-response-bytes)"},
		"a large body nobody asks for":             {expect: &v1.APICallExpect{Headers: map[string]string{"X-Kind": "test"}}, limit: 10},
		"values":                                   {result: map[string]string{"ready": ".status.ready", "names": "{.items[*].name}"}, values: `{"names":["a","b"],"ready":true}`},
		"a value that is not there":                {result: map[string]string{"x": ".none"}, reason: v1.ReasonUnexpectedResponse, message: "spec.apiCall.result[x]: .none leads nowhere"},
		"a value's path that is none":              {result: map[string]string{"x": "{"}, reason: v1.ReasonInvalidArguments, message: "spec.apiCall.result[x]"},
		"values that are too large":                {result: map[string]string{"x": ".x"}, body: `{"x":"` + strings.Repeat("a", maxValues) + `"}`, reason: v1.ReasonUnexpectedResponse, message: "the limit is 65536"},
		"expectations come before the value":       {expect: expect(".status.ready", raw("false"), ""), result: map[string]string{"x": ".none"}, reason: v1.ReasonUnexpectedResponse, message: "body[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			url := answers(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-Kind", "test")
				text := tc.body
				if text == "" {
					text = body
				}
				_, _ = io.WriteString(w, text)
			})
			r := New(Options{Network: private(), MaxResponse: tc.limit})
			o := r.Run(t.Context(), attempt(&v1.APICallAction{URL: url, Expect: tc.expect, Result: tc.result}), &recorder{})
			if o.Reason != tc.reason || (o.Verdict == action.Succeeded) != (tc.reason == "") || !strings.Contains(o.Message, tc.message) {
				t.Fatalf("%+v, want %s with %q", o, tc.reason, tc.message)
			}
			if tc.values == "" {
				return
			}
			var result struct{ Values json.RawMessage }
			if err := json.Unmarshal(o.Result.Raw, &result); err != nil || string(result.Values) != tc.values {
				t.Errorf("%s, %v; want the values %s", o.Result.Raw, err, tc.values)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	other := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "" || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	nobody := "http://" + servertest.Address(t)
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other, http.StatusFound)
		case "/body":
			http.Redirect(w, r, other, http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/ftp":
			http.Redirect(w, r, "ftp://files.example/x", http.StatusFound)
		case "/unreadable":
			w.Header().Set("Location", "http://[::1")
			w.WriteHeader(http.StatusSeeOther)
		case "/nobody":
			http.Redirect(w, r, nobody, http.StatusFound)
		case "/end":
			if r.Header.Get("X-Api-Key") != "secret" {
				w.WriteHeader(http.StatusForbidden)
			}
		}
	})
	number := func(n int32) *int32 { return &n }
	for name, tc := range map[string]struct {
		path    string
		most    *int32
		expect  []int32
		reason  string
		message string
		body    *v1.JSON
	}{
		"a body does not go to another host":                {path: "/body", reason: v1.ReasonUnexpectedStatus, message: "asks to send the body to another host", body: raw(`"secret"`)},
		"to another host it goes without the job's headers": {path: "/away"},
		"to the same host it goes with them":                {path: "/here"},
		"none is followed":                                  {path: "/here", most: number(0), expect: []int32{302}},
		"too many":                                          {path: "/round", most: number(2), reason: v1.ReasonUnexpectedStatus, message: "more than 2 redirects"},
		"what is no http":                                   {path: "/ftp", reason: v1.ReasonUnexpectedStatus, message: "answered 302 Found, and the redirect was not followed: a redirect leads to ftp://files.example/x, and only http and https are spoken"},
		"a Location that cannot be read":                    {path: "/unreadable", reason: v1.ReasonUnexpectedStatus, message: "answered 303 See Other, and the redirect was not followed: failed to parse Location header"},
		"one that leads to where nobody listens":            {path: "/nobody", reason: v1.ReasonConnectionFailed, message: "connection refused"},
		"too many by default":                               {path: "/round", reason: v1.ReasonUnexpectedStatus, message: "more than 10 redirects"},
	} {
		r := New(Options{Network: private()})
		o := r.Run(t.Context(), attempt(&v1.APICallAction{
			URL: url + tc.path, Body: tc.body, MaxRedirects: tc.most, ExpectStatus: tc.expect,
			Headers: map[string]v1.HeaderValue{"X-Api-Key": {Value: "secret"}, "Authorization": {Value: "Bearer secret"}},
		}), &recorder{})
		if o.Reason != tc.reason || !strings.Contains(o.Message, tc.message) || strings.Contains(o.Message, "secret") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestARedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	plain := answers(t, func(http.ResponseWriter, *http.Request) { t.Error("it was followed") })
	server := httptest.NewTLSServer(http.RedirectHandler(plain, http.StatusFound))
	defer server.Close()
	dir := t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "ca.pem"), authority, 0o600), os.WriteFile(filepath.Join(dir, "hosts"), []byte(`"*": {caFile: ca.pem}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	hosts, err := outbound.Load(filepath.Join(dir, "hosts"))
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{Network: outbound.New(outbound.Options{AllowPrivate: true, Hosts: hosts})})
	o := r.Run(t.Context(), attempt(&v1.APICallAction{URL: server.URL}), &recorder{})
	if o.Reason != v1.ReasonUnexpectedStatus || o.Facts[v1.FactHTTPStatus] != "302" || !strings.Contains(o.Message, "answered 302 Found, and the redirect was not followed: a redirect leads from https to http://") {
		t.Errorf("%+v", o)
	}
}

func TestADecompressedBodyIsBoundedToo(t *testing.T) {
	url := answers(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		zeros := make([]byte, 1<<20)
		for range 64 {
			if _, err := z.Write(zeros); err != nil {
				return // nobody reads on
			}
		}
	})
	out := &recorder{}
	o := New(Options{Network: private(), MaxResponse: 1 << 10}).Run(t.Context(), attempt(&v1.APICallAction{URL: url}), out)
	if o.Verdict != action.Succeeded || !strings.Contains(strings.Join(out.lines, "\n"), "more than 1024 bytes") {
		t.Errorf("%+v\n%v", o, out.lines)
	}
}
