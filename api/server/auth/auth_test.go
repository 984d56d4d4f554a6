package auth_test

import (
	"errors"
	"net/http"
	"testing"

	"jobwright.dev/api/server/auth"
)

const token = "the-operators-token"

func request(t *testing.T, host string, header map[string]string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return r
}

func TestWhoSendsARequestOnLoopback(t *testing.T) {
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": token} }
	for name, tc := range map[string]struct {
		host    string
		header  map[string]string
		refused bool
		want    auth.Identity
	}{
		"nobody in particular":               {host: "127.0.0.1:8080"},
		"by name":                            {host: "LOCALHOST:8080"},
		"by IPv6":                            {host: "[::1]:8080"},
		"without a port":                     {host: "[::1]"},
		"the operator":                       {host: "localhost", header: bearer("Bearer " + token), want: auth.Identity{Name: "operator", Operator: true}},
		"a token that is not the operator's": {host: "localhost", header: bearer("Bearer " + token + "x")},
		"the operator's token under another scheme": {host: "localhost", header: bearer("Basic " + token)},
		"another host": {host: "evil.example", refused: true},
		"another host, with the operator's token": {host: "evil.example", header: bearer("Bearer " + token), refused: true},
		"a private address":                       {host: "10.0.0.1:8080", refused: true},
		"a name that begins like loopback":        {host: "localhost.evil.example", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			who, known, err := auth.Loopback{Credentials: auth.OperatorToken(token)}.Authenticate(request(t, tc.host, tc.header))
			if tc.refused {
				if _, ok := errors.AsType[*auth.MisdirectedError](err); !ok || known {
					t.Fatalf("%+v, %v, %v; want a refusal", who, known, err)
				}
				return
			}
			if err != nil || !known || who != tc.want {
				t.Errorf("%+v, %v, %v, want %+v", who, known, err, tc.want)
			}
		})
	}
	if who, known, err := auth.OperatorToken("").Authenticate(request(t, "localhost", bearer("Bearer "))); known || err != nil {
		t.Errorf("without a token: %+v, %v, %v", who, known, err)
	}
}

func TestWhichOriginsAreForeign(t *testing.T) {
	for name, tc := range map[string]struct {
		header  map[string]string
		effects bool
		refused bool
	}{
		"a program":                                 {effects: true},
		"the server's own page":                     {header: map[string]string{"Origin": "http://localhost:8080"}, effects: true},
		"another port":                              {header: map[string]string{"Origin": "http://localhost:3000"}, refused: true},
		"a sandboxed page that only reads":          {header: map[string]string{"Origin": "null"}, refused: true},
		"a link on another site, to read":           {header: map[string]string{"Sec-Fetch-Site": "cross-site"}},
		"a link on another site, with effects":      {header: map[string]string{"Sec-Fetch-Site": "cross-site"}, effects: true, refused: true},
		"a page of the same site, with effects":     {header: map[string]string{"Sec-Fetch-Site": "same-site"}, effects: true, refused: true},
		"an address that a person typed, with them": {header: map[string]string{"Sec-Fetch-Site": "none"}, effects: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := auth.CheckOrigin(request(t, "localhost:8080", tc.header), tc.effects)
			if (err != nil) != tc.refused {
				t.Errorf("%v, want refused = %v", err, tc.refused)
			}
		})
	}
}

func TestWhatNeedsTheOperatorWithoutRoles(t *testing.T) {
	operator := auth.Identity{Operator: true}
	for verb, needs := range map[auth.Verb]bool{
		auth.Get: false, auth.Delete: false, auth.ForceFinish: false, auth.ListTools: false, auth.Backup: true, auth.Impersonate: true,
	} {
		if err := (auth.WithoutRoles{}).Authorize(auth.Identity{}, auth.Action{Verb: verb}); (err != nil) != needs {
			t.Errorf("%s by anybody: %v, want refused = %v", verb, err, needs)
		}
		if err := (auth.WithoutRoles{}).Authorize(operator, auth.Action{Verb: verb}); err != nil {
			t.Errorf("%s by the operator: %v", verb, err)
		}
	}
}
