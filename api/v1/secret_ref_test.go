package v1

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAHeaderValueIsAStringOrAReference(t *testing.T) {
	for text, want := range map[string]*HeaderValue{
		`"a <b>"`:                               {Value: "a <b>"},
		`""`:                                    {},
		`null`:                                  {},
		`{"valueFrom":{"secretRef":"t"}}`:       {ValueFrom: &ValueSource{SecretRef: "t"}},
		`{}`:                                    nil,
		`{"valueFrom":null}`:                    nil,
		`{"valueFrom":{"secretRef":"t"},"a":1}`: nil,
		`{"valueFrom":{"secretref":"t","a":1}}`: nil,
		`1`:                                     nil,
		`["a"]`:                                 nil,
	} {
		var got HeaderValue
		err := json.Unmarshal([]byte(text), &got)
		if want == nil {
			if err == nil {
				t.Errorf("%s was taken as %+v", text, got)
			}
			continue
		}
		if diff := cmp.Diff(*want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
		again, err := json.Marshal(got)
		var twice HeaderValue
		if err := errors.Join(err, json.Unmarshal(again, &twice)); err != nil || cmp.Diff(got, twice) != "" {
			t.Errorf("%s: written as %s, read as %+v, %v", text, again, twice, err)
		}
	}
}

func TestReferencesInABody(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		refs []SecretRef
		want string // resolved, each to <NAME>"; empty: as it was
		err  string
	}{
		"none":      {body: `{"a":1}`},
		"the whole": {body: `{"valueFrom":{"secretRef":"t"}}`, refs: []SecretRef{{Name: "t"}}, want: `"<t>\""`},
		"in places": {
			body: `{"z":9007199254740993,"a":[1,{"valueFrom":{"secretRef":"x"}}],"b":{"c":{"valueFrom":{"secretRef":"y"}}},"d":1e2}`,
			refs: []SecretRef{{Path: ".a[1]", Name: "x"}, {Path: ".b.c", Name: "y"}},
			want: `{"z":9007199254740993,"a":[1,"<x>\""],"b":{"c":"<y>\""},"d":1e2}`,
		},
		"with spaces":               {body: `[ { "valueFrom" : { "secretRef" : "x" } } , 2 ]`, refs: []SecretRef{{Path: "[0]", Name: "x"}}, want: `[ "<x>\"" , 2 ]`},
		"another valueFrom":         {body: `{"valueFrom":{"fieldRef":"x"}}`},
		"within another":            {body: `{"valueFrom":{"a":{"valueFrom":{"secretRef":"x"}}},"b":1}`, refs: []SecretRef{{Path: ".valueFrom.a", Name: "x"}}, want: `{"valueFrom":{"a":"<x>\""},"b":1}`},
		"as text":                   {body: `"{\"valueFrom\":{\"secretRef\":\"x\"}}"`},
		"two members":               {body: `[{"valueFrom":{"secretRef":"x"},"a":{"valueFrom":{"secretRef":"y"}}}]`, err: "[0]: a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string"},
		"no name":                   {body: `{"valueFrom":{"secretRef":7}}`, err: "a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string"},
		"a key that comes twice":    {body: `{"valueFrom":{"secretRef":"x"},"valueFrom":{"secretRef":"y"}}`, err: "a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string"},
		"something that is no JSON": {body: `{"valueFrom":`, err: "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			body := raw(tc.body)
			refs, err := body.SecretRefs()
			if diff := cmp.Diff(tc.refs, refs, cmpopts.IgnoreUnexported(SecretRef{})); tc.err == "" && (err != nil || diff != "") || tc.err != "" && (err == nil || err.Error() != tc.err) {
				t.Fatalf("error %v, want %q; references (-want +got):\n%s", err, tc.err, diff)
			}
			if err != nil {
				return
			}
			resolved, err := body.Resolve(refs, func(ref SecretRef) (string, error) { return "<" + ref.Name + `>"`, nil })
			want := tc.want
			if want == "" {
				want = tc.body
			}
			if err != nil || string(resolved.Raw) != want {
				t.Errorf("%s, %v; want %s", resolved.Raw, err, want)
			}
		})
	}
}
