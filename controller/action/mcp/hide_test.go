package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
)

// TestASecretIsInNoResult: what a tool answers has *** in place of the server's credentials,
// and nothing else of it is changed.
func TestASecretIsInNoResult(t *testing.T) {
	const secret = `hunter2"hunter2`
	server := func() mcp.Server {
		return mcp.Server{
			Type: config.TypeStdio,
			Env:  map[string]string{"MY_TOKEN": secret, "LEVEL": "verbose-words", "SHORT_TOKEN": "done", "DATABASE_URL": "postgres://ada:of-the-url@db/x"},
		}
	}
	for name, tt := range map[string]struct{ answer, result, says string }{
		"in words":                       {`{"content":[{"type":"text","text":"the token is hunter2\"hunter2, ok"}]}`, `{"text":"the token is ***, ok"}`, ""},
		"in a structured answer":         {`{"content":[],"structuredContent":{"z":1.50,"a":["hunter2\"hunter2"],"n":9007199254740993}}`, `{"a":["***"],"n":9007199254740993,"z":1.50}`, ""},
		"escaped otherwise":              {`{"content":[],"structuredContent":{"a":"\u0068unter2\u0022hunter2"}}`, `{"a":"***"}`, ""},
		"in the name of a member":        {`{"content":[],"structuredContent":{"hunter2\"hunter2":1}}`, `{"***":1}`, ""},
		"in base64":                      {`{"content":[{"type":"text","text":"Basic aHVudGVyMiJodW50ZXIy"}]}`, `{"text":"Basic ***"}`, ""},
		"in an error":                    {`{"isError":true,"content":[{"type":"text","text":"hunter2\"hunter2 is no good"}]}`, "", "*** is no good"},
		"in an answer that is odd":       {`{"content":{"type":"text","text":"hunter2\"hunter2"}}`, `{"text":"***"}`, "content is an object"},
		"the password of a URL":          {`{"content":[{"type":"text","text":"of-the-url"}]}`, `{"text":"***"}`, ""},
		"in a link":                      {`{"content":[{"type":"resource_link","uri":"https://x/hunter2%22hunter2","name":"x"}]}`, `{"text":"(resource https://x/***)"}`, ""},
		"a word that is no credential":   {`{"content":[{"type":"text","text":"verbose-words"}]}`, `{"text":"verbose-words"}`, ""},
		"a word as short as others":      {`{"content":[{"type":"text","text":"it is done"}]}`, `{"text":"it is done"}`, ""},
		"nothing, and it stays as it is": {`{"content":[],"structuredContent":{"z": 1.50, "a": "\u0041", "z2":{}}}`, `{"z":1.50,"a":"\u0041","z2":{}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := says("tools/call", `{"jsonrpc":"2.0","id":$id,"result":`+tt.answer+`}`)
			r := newRunner(t, map[string]mcp.Server{"scripted": server()}, s.piped)
			rec := newRecorder()
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			result := ""
			if out.Result != nil {
				result = string(out.Result.Raw)
			}
			if result != tt.result || !strings.Contains(out.Message, tt.says) {
				t.Errorf("outcome %+v, result %s", out, result)
			}
			all, err := json.Marshal(out)
			if told := string(all) + strings.Join(rec.lines, "\n"); err != nil || strings.Contains(told, "hunter2") || strings.Contains(told, "of-the-url") {
				t.Errorf("it tells a secret: %s", told)
			}
		})
	}
}

// TestNoMaskTellsWhichGuessWasRight plays the oracle: a job has a tool say its guesses, in its
// answer and on stderr, and looks which are masked. What a job has written is never masked,
// and no part of a secret is: so a mask tells only of a whole value that the job does not have.
func TestNoMaskTellsWhichGuessWasRight(t *testing.T) {
	const secret = "0123456789abcdef"
	var guesses []string
	for n := 1; n <= len(secret); n++ {
		guesses = append(guesses, secret[:n], secret[:n]+"…", secret[len(secret)-n:])
	}
	for _, guess := range append(guesses, "MDEyMzQ1Njc4OWFiY2RlZg==", `x"0123456789abcdef"`) {
		echo, err := json.Marshal(guess)
		if err != nil {
			t.Fatal(err)
		}
		s := says("tools/call", `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":`+string(echo)+`}}
{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":`+string(echo)+`}]}}`)
		server := mcp.Server{Type: config.TypeStdio, Env: map[string]string{"MY_TOKEN": secret}}
		r := newRunner(t, map[string]mcp.Server{"scripted": server}, s.piped)
		rec := newRecorder()
		argument, err := v1.NewJSON([]any{map[string]string{"deep": guess}})
		if err != nil {
			t.Fatal(err)
		}
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go", Arguments: map[string]v1.JSON{"text": argument}}), rec)
		r.Close()
		if out.Verdict != action.Succeeded {
			t.Fatalf("outcome %+v", out)
		}
		if told := string(out.Result.Raw) + strings.Join(rec.lines, "\n"); strings.Contains(told, "***") {
			t.Errorf("%q is masked: %s", guess, told)
		}
	}
	// A tool may put pieces together that the job has not written as one: then a prefix, with
	// the mark of a table that cuts it off or without, is as good as any other text.
	for _, guess := range guesses[:len(guesses)-3] {
		echo, err := json.Marshal(guess)
		if err != nil {
			t.Fatal(err)
		}
		s := says("tools/call", `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":`+string(echo)+`}}
{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":`+string(echo)+`}]}}`)
		r := newRunner(t, map[string]mcp.Server{"scripted": {Type: config.TypeStdio, Env: map[string]string{"MY_TOKEN": secret}}}, s.piped)
		rec := newRecorder()
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
		r.Close()
		if told := string(out.Result.Raw) + strings.Join(rec.lines, "\n"); len(guess) < len(secret) && strings.Contains(told, "***") {
			t.Errorf("%q is masked: %s", guess, told)
		}
	}
}

// TestTheNextJobIsNotToldWhatTheLastOneKnew: a job that knows a secret does not unmask it for
// the next one of the session.
func TestTheNextJobIsNotToldWhatTheLastOneKnew(t *testing.T) {
	const secret = "0123456789abcdef"
	s := says("tools/call", `{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":"`+secret+`"}]}}`)
	r := newRunner(t, map[string]mcp.Server{"scripted": {Type: config.TypeStdio, Env: map[string]string{"MY_TOKEN": secret}}}, s.piped)
	for _, tt := range []struct{ id, want string }{{secret, secret}, {"", "***"}} {
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go", ID: tt.id}), newRecorder())
		if out.Result == nil || string(out.Result.Raw) != `{"text":"`+tt.want+`"}` {
			t.Errorf("outcome %+v", out)
		}
	}
}
