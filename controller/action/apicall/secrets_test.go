package apicall

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/secrets"
)

const token = "t0k<en> & 9007199254740993"

func vault(t *testing.T, text string) *secrets.Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := secrets.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func fromSecret(name string) v1.HeaderValue {
	return v1.HeaderValue{ValueFrom: &v1.ValueSource{SecretRef: name}}
}

// said is everything that a call has told anybody.
func said(o action.Outcome, out *recorder) string {
	all := o.Message + "\n" + strings.Join(append(out.lines, out.steps...), "\n")
	if o.Result != nil {
		all += "\n" + string(o.Result.Raw)
	}
	return all
}

// TestASecretIsSentAndNeverTold has receivers that repeat it in every place there is.
func TestASecretIsSentAndNeverTold(t *testing.T) {
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:pass word"))
	set := vault(t, fmt.Sprintf("{token: {value: %q}, login: {value: %q}, number: {value: '12345678'}, late: {value: %q}}", "Bearer "+token, login, strings.Repeat("z", 20)))
	var got http.Header
	var sent string
	status := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
		}
	}
	echo := answers(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, sent = r.Header, string(body)
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/end?t="+strings.ReplaceAll(token, " ", "%20"), http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "http://"+r.Host+"/loop?t=pass%20word", http.StatusTemporaryRedirect)
		case "/see":
			http.Redirect(w, r, "/see?t=pass+word", http.StatusSeeOther)
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("y", messageHead-10)+strings.Repeat("z", 20))
		case "/longfail":
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, strings.Repeat("y", messageHead-10)+strings.Repeat("z", 20))
		case "/json":
			fmt.Fprintf(w, `{"echo":%q,"number":12345678,"12345678":1,"list":[%q],"other":9007199254740993}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "me:pass word")
		default:
			_, _ = io.WriteString(w, r.Header.Get("Authorization")+"\n"+sent)
		}
	})
	auth := map[string]v1.HeaderValue{"Authorization": fromSecret("token"), "X-Login": fromSecret("login"), "X-Number": fromSecret("number"), "X-Late": fromSecret("late")}
	for name, tc := range map[string]struct {
		call    v1.APICallAction
		reason  string
		message string
		shown   []string // what is no secret and is told
	}{
		"in the body":                         {call: v1.APICallAction{URL: echo + "/", Body: raw(`{"deep":[{"valueFrom":{"secretRef":"token"}},"own words"]}`)}, shown: []string{"own words"}},
		"as the body":                         {call: v1.APICallAction{URL: echo + "/", Body: raw(`{"valueFrom":{"secretRef":"token"}}`)}},
		"in a number and a name":              {call: v1.APICallAction{URL: echo + "/json", Result: map[string]string{"all": "{.*}", "object": "{$}", "number": ".number"}}, shown: []string{"9007199254740993"}},
		"in what is not as expected":          {call: v1.APICallAction{URL: echo + "/json", Expect: &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: ".echo", Equals: raw(`"a guess"`)}}}}, reason: v1.ReasonUnexpectedResponse, message: `.echo is "***"; expected is "a guess"`},
		"in a number that is not as expected": {call: v1.APICallAction{URL: echo + "/json", Expect: &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: ".number", Matches: "^9"}}}}, reason: v1.ReasonUnexpectedResponse, message: `.number is ***`},
		"in a header":                         {call: v1.APICallAction{URL: echo + "/", Expect: &v1.APICallExpect{Headers: map[string]string{"X-Echo": "^x"}}}, reason: v1.ReasonUnexpectedResponse, message: "***"},
		"in a redirect":                       {call: v1.APICallAction{URL: echo + "/redirect"}},
		"in too many redirects":               {call: v1.APICallAction{URL: echo + "/loop", MaxRedirects: new(int32(1))}, reason: v1.ReasonUnexpectedStatus, message: "more than 1 redirects"},
		"in one that is not followed":         {call: v1.APICallAction{URL: echo + "/see", Body: raw(`1`)}, reason: v1.ReasonUnexpectedStatus, message: "redirects to"},
		"cut by a limit":                      {call: v1.APICallAction{URL: echo + "/long"}},
		"cut by that of a message":            {call: v1.APICallAction{URL: echo + "/longfail"}, reason: v1.ReasonUnexpectedStatus, message: "418"},
		"in a status line":                    {call: v1.APICallAction{URL: speaks(t, status("HTTP/1.1 418 no "+token+"\r\nContent-Length: 0\r\n\r\n"))}, reason: v1.ReasonUnexpectedStatus, message: "418 no ***"},
		"in what is no HTTP":                  {call: v1.APICallAction{URL: speaks(t, status("HTTP/1.1 "+token+"\r\n\r\n"))}, reason: v1.ReasonProtocolError},
		"in a Location that is none":          {call: v1.APICallAction{URL: speaks(t, status("HTTP/1.1 302 Found\r\nLocation: http://["+token+"\r\nContent-Length: 0\r\n\r\n"))}, reason: v1.ReasonUnexpectedStatus},
	} {
		t.Run(name, func(t *testing.T) {
			out := &recorder{}
			tc.call.Headers = auth
			o := New(Options{Network: private(), Secrets: set}).Run(t.Context(), attempt(&tc.call), out)
			if o.Reason != tc.reason || !strings.Contains(o.Message, tc.message) {
				t.Errorf("%+v; want %s with %q", o, tc.reason, tc.message)
			}
			if strings.HasPrefix(tc.call.URL, echo) && (got.Get("Authorization") != "Bearer "+token || got.Get("X-Number") != "12345678") {
				t.Errorf("it was sent as %v", got)
			}
			all := said(o, out)
			for _, secret := range []string{token, "t0k<en>", `t0k\u003cen`, "pass word", "pass%20word", "pass+word", "12345678", "zzzz", login} {
				if strings.Contains(all, secret) {
					t.Errorf("%q is told:\n%.2000s", secret, all)
				}
			}
			for _, text := range tc.shown {
				if !strings.Contains(all, text) {
					t.Errorf("%q is not told:\n%.2000s", text, all)
				}
			}
		})
	}
}

func TestABodyIsSentWithItsSecrets(t *testing.T) {
	var sent, media string
	url := answers(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent, media = string(body), r.Header.Get("Content-Type")
	})
	set := vault(t, `{a: {value: "quo\"te"}, b: {value: plain}}`)
	for body, want := range map[string][2]string{
		`{"z":9007199254740993,"x":{"valueFrom":{"secretRef":"a"}},"y":[{"valueFrom":{"secretRef":"b"}}]}`: {`{"z":9007199254740993,"x":"quo\"te","y":["plain"]}`, "application/json"},
		`{"valueFrom":{"secretRef":"a"}}`:         {`quo"te`, "text/plain; charset=utf-8"},
		`{"valueFrom":{"fieldRef":"a"}}`:          {`{"valueFrom":{"fieldRef":"a"}}`, "application/json"},
		`"{\"valueFrom\":{\"secretRef\":\"a\"}}"`: {`{"valueFrom":{"secretRef":"a"}}`, "text/plain; charset=utf-8"},
	} {
		o := New(Options{Network: private(), Secrets: set}).Run(t.Context(), attempt(&v1.APICallAction{URL: url, Body: raw(body)}), &recorder{})
		if o.Verdict != action.Succeeded || sent != want[0] || media != want[1] {
			t.Errorf("%s: sent as %s, %s; %+v", body, sent, media, o)
		}
	}
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	url := answers(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	set := vault(t, "{mine: {value: mine}, theirs: {value: theirs, workspaces: [beta]}, lines: {value: \"line one\\nline two\"}, gone: {file: /no/such/file}, pay: {value: paid, hosts: [pay.example.com, \"*.pay.example\"]}, local: {value: here, hosts: [127.0.0.1]}}")
	for name, tc := range map[string]struct {
		call v1.APICallAction
		want string
	}{
		"an unknown one":            {v1.APICallAction{Headers: map[string]v1.HeaderValue{"X": fromSecret("none")}}, `spec.apiCall.headers[X].valueFrom.secretRef: no such secret: "none"; workspace acme has: gone, lines, local, mine, pay`},
		"that of another workspace": {v1.APICallAction{Headers: map[string]v1.HeaderValue{"X": fromSecret("theirs")}}, `spec.apiCall.headers[X].valueFrom.secretRef: no such secret: "theirs"; workspace acme has: gone, lines, local, mine, pay`},
		"in the body":               {v1.APICallAction{Body: raw(`{"a":[{"valueFrom":{"secretRef":"theirs"}}]}`)}, `spec.apiCall.body.a[0].valueFrom.secretRef: no such secret: "theirs"`},
		"one whose file is gone":    {v1.APICallAction{Headers: map[string]v1.HeaderValue{"X": fromSecret("gone")}}, "secret gone: its file cannot be read: no such file or directory"},
		"one for other hosts":       {v1.APICallAction{Headers: map[string]v1.HeaderValue{"Y": fromSecret("local"), "Z": fromSecret("pay")}}, "spec.apiCall.headers[Z].valueFrom.secretRef: secret pay may not be sent to 127.0.0.1, only to: pay.example.com, *.pay.example"},
		"one that is no header":     {v1.APICallAction{Headers: map[string]v1.HeaderValue{"X": fromSecret("lines")}}, "spec.apiCall.headers[X]: Invalid value: a header's name is a word, and its value has no control characters, such as a line end"},
	} {
		tc.call.URL = url
		job := attempt(&tc.call)
		r := New(Options{Network: private(), Secrets: set})
		o := r.Run(t.Context(), job, &recorder{})
		if o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, tc.want) || strings.Contains(o.Message, "line one") {
			t.Errorf("%s: %+v", name, o)
		}
		if plan, err := r.Plan(t.Context(), job.Job); err != nil || plan.Valid || !strings.Contains(strings.Join(plan.Problems, "\n"), tc.want) {
			t.Errorf("%s: plan %+v, %v", name, plan, err)
		}
	}
}

// TestTheCallersOwnWordsAreNoOracle has a caller who guesses a secret that it cannot use, at
// a receiver that repeats everything.
func TestTheCallersOwnWordsAreNoOracle(t *testing.T) {
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, string(body)+r.Header.Get("X-Guess")+r.URL.RawQuery)
	})
	set := vault(t, "{theirs: {value: hunter22, workspaces: [beta]}, mine: {value: swordfish}}")
	out := &recorder{}
	o := New(Options{Network: private(), Secrets: set}).Run(t.Context(), attempt(&v1.APICallAction{
		URL: url + "/?q=hunter22", Body: raw(`"hunter22 swordfish"`), Headers: map[string]v1.HeaderValue{"X-Guess": {Value: "hunter22"}},
	}), out)
	if all := said(o, out); strings.Contains(all, "***") || strings.Count(all, "hunter22") < 5 {
		t.Errorf("the answer tells what was guessed:\n%s", all)
	}
	// With a secret of its own in the call, its own words stay as they are all the same.
	out = &recorder{}
	o = New(Options{Network: private(), Secrets: set}).Run(t.Context(), attempt(&v1.APICallAction{
		URL: url + "/swordfish", Headers: map[string]v1.HeaderValue{"X-Guess": fromSecret("mine")},
		Expect: &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: ".swordfish"}}},
	}), out)
	if !strings.Contains(o.Message, url+"/swordfish answered") || !strings.Contains(strings.Join(out.lines, "\n"), "***") {
		t.Errorf("%+v\n%v", o, out.lines)
	}
}
