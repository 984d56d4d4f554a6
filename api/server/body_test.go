package server_test

import (
	"strings"
	"testing"
)

// TestABodyIsReadAsItIsWritten sends YAML and JSON that a lenient reader would take.
func TestABodyIsReadAsItIsWritten(t *testing.T) {
	f := newFixture(t)
	inYAML, inJSON := map[string]string{"Content-Type": "application/yaml"}, map[string]string{"Content-Type": "application/json"}
	head := "apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: x}\nspec:\n"
	for name, tc := range map[string]struct {
		body    string
		headers map[string]string
		code    int
		says    []string
	}{
		"a key that YAML 1.1 reads as a boolean": {
			head + "  build: {action: x, arguments: {n: 2}}\n", inYAML, 400,
			[]string{`line 5: spec.build.arguments: the key n is false to some YAML readers, not text: quote it: \"n\"`},
		},
		"an argument that readers disagree about": {
			head + "  build:\n    action: x\n    variables: {COUNTRY: NO}\n", inYAML, 400,
			[]string{`line 7: spec.build.variables.COUNTRY: NO is false to some YAML readers and text to others: write false, or quote it: \"NO\"`},
		},
		"an unknown field and what validation finds": {
			head + "  bogus: 1\n  priority: 5000\n  build: {server: x}\n", inYAML, 400,
			[]string{`line 5: unknown field \"spec.bogus\"`, `line 6: spec.priority: Invalid value: 5000`, `line 7: spec.build.action: Required value`},
		},
		"the same in JSON": {
			`{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"x"},"spec":{"bogus":1,"priority":5000,"build":{"server":"x"}}}`, inJSON, 400,
			[]string{`unknown field \"spec.bogus\"`, `spec.priority: Invalid value: 5000`, `spec.build.action: Required value`, `"field":"spec.priority"`},
		},
		"an alias that stands 10,000 times": {
			"a: &a " + strings.Repeat("x", 10_000) + "\nb: [" + strings.Repeat("*a,", 10_000) + "]", inYAML, 400,
			[]string{"may add at most 1048576 bytes"},
		},
		"a kind in other case": {
			`{"apiVersion":"jobwright.dev/v1","KIND":"Job","metadata":{"name":"x"},"spec":{"build":{"action":"x"}}}`, inJSON, 400, []string{`unknown field \"KIND\": write \"kind\"`},
		},
		"a key twice within arguments": {
			`{"metadata":{"name":"x"},"spec":{"build":{"action":"x","arguments":{"a":1,"a":2}}}}`, inJSON, 400, []string{`spec.build.arguments: the key \"a\" is there twice`},
		},
		"half a surrogate":   {`{"metadata":{"name":"x"},"spec":{"build":{"action":"\ud800"}}}`, inJSON, 400, []string{"spec.build.action: has half a surrogate pair"}},
		"two documents":      {head + "  build: {action: x}\n---\n{}\n", inYAML, 400, []string{"a second document begins here"}},
		"no document at all": {"# nothing\n", inYAML, 400, []string{"the body is empty; it must be a Job"}},
		"YAML under another type": {
			head, inJSON, 400, []string{"this is no JSON"},
		},
		"numbers as they are written": {
			`{"metadata":{"name":"exact"},"spec":{"build":{"action":"x","arguments":{"big":12345678901234567890,"version":1.10}}}}`, inJSON, 201,
			[]string{`"big":12345678901234567890,"version":1.10`},
		},
		"numbers as they are written in YAML": {
			strings.Replace(head, "name: x", "name: exact-yaml", 1) + "  build: {action: x, arguments: {big: 12345678901234567890, version: 1.10, date: 2026-12-01}}\n", inYAML, 201,
			[]string{`"big":12345678901234567890,"date":"2026-12-01","version":1.10`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := f.do(t, request{"POST", "/apis/jobwright.dev/v1/namespaces/acme/jobs", tc.body, tc.headers})
			if response.StatusCode != tc.code {
				t.Errorf("%d %s\n\nwant %d", response.StatusCode, body, tc.code)
			}
			for _, want := range tc.says {
				if !strings.Contains(body, want) {
					t.Errorf("%s\n\nwant it to say %q", body, want)
				}
			}
		})
	}
}
