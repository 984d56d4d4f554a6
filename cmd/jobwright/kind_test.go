package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
	"jobwright.dev/store/wire"
)

// TestAMadeUpKindGoesThroughEveryLayer uses a kind that only this test registers: the
// command line, the client, the server, the store over files and over HTTP, backup and
// restore.
func TestAMadeUpKindGoesThroughEveryLayer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	address, stop := serveNotes(t, dir)
	note := filepath.Join(t.TempDir(), "note.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(note, []byte("apiVersion: jobwright.dev/v1\nkind: Note\nmetadata: {name: a}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	notes, err := client.New(client.Config{Server: address, Kinds: v1test.Kinds()})
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := v1test.Kinds().ByName(v1test.KindNote)
	key := client.Key{Kind: kind, Namespace: v1.DefaultWorkspace, Name: "a"}
	get := func() *v1test.Note {
		t.Helper()
		obj, err := notes.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return obj.(*v1test.Note)
	}

	// Strict decoding and validation, all at once.
	write("spec:\n  volume: 11\n  n: 1\n  colour: red\n")
	says(t, 1, []string{
		"note.yaml: line 6: spec: the key n is false to some YAML readers, not text: quote it: \"n\"",
		"note.yaml: line 7: unknown field \"spec.colour\"",
		"note.yaml: line 4: spec.text: Required value: say something",
		"note.yaml: line 5: spec.volume: Invalid value: 11: must be between 1 and 10",
	}, "apply", "-f", note, "--server", address)
	write("spec: {text: \"\"}")
	says(t, 1, []string{"spec.text: Required value: say something"}, "apply", "-f", note, "--server", address)

	// Create, with defaults and what only the server sets; list, table, describe.
	write("spec: {text: hello, tags: [one]}\nstatus: {readers: 7, shown: x}\n")
	says(t, 0, []string{"note/a created"}, "apply", "-f", note, "--server", address)
	if n := get(); n.Spec.Volume != 5 || n.Spec.Author != "server" || n.Status != (v1test.NoteStatus{Readers: 1}) || n.Generation != 1 {
		t.Errorf("created as %+v", n)
	}
	says(t, 0, []string{"NAME TEXT READERS AGE", "a hello 1"}, "get", "notes", "--server", address)
	says(t, 0, []string{"NAME TEXT READERS AGE AUTHOR", "server"}, "get", "nt", "a", "-o", "wide", "--server", address)
	says(t, 0, []string{"Name: a", "Workspace: default", "volume: 5"}, "describe", "note", "a", "--server", address)
	list, err := notes.List(t.Context(), kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("listed %d, %v", len(list.Items), err)
	}

	// The status is written by itself, checked, and kept by an update of the spec.
	n := get()
	n.Status = v1test.NoteStatus{Readers: 3, Shown: "computed"}
	n.Spec.Text = "ignored"
	if _, err := notes.UpdateStatus(t.Context(), n); err == nil || !strings.Contains(err.Error(), "needs the operator's token") {
		t.Errorf("a status that anybody writes: %v", err)
	}
	operator := operatorOf(t, dir, client.Config{Server: address, Kinds: v1test.Kinds()})
	if _, err := operator.UpdateStatus(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	n = get()
	n.Status.Readers = 2
	if _, err := operator.UpdateStatus(t.Context(), n); err == nil || !strings.Contains(err.Error(), "readers never become fewer") {
		t.Errorf("a status that may not be: %v", err)
	}
	version := get().ResourceVersion
	says(t, 0, []string{"note/a configured"}, "apply", "-f", note, "--server", address)
	if n := get(); n.Spec.Text != "hello" || strings.Join(n.Spec.Tags, " ") != "one one" || n.Status != (v1test.NoteStatus{Readers: 3}) || n.Generation != 2 {
		t.Errorf("applied as %+v", n)
	}
	for event, err := range notes.Watch(t.Context(), kind, client.WatchOptions{Namespace: v1.DefaultWorkspace, ResourceVersion: version}) {
		if err != nil || event.Object.(*v1test.Note).Generation != 2 {
			t.Errorf("watched %+v, %v", event, err)
		}
		break
	}

	// A store over HTTP knows the kind too.
	overHTTP, err := wire.New(wire.Options{Server: address, Kinds: v1test.Kinds()})
	if err != nil {
		t.Fatal(err)
	}
	defer overHTTP.Close()
	record, err := overHTTP.Get(t.Context(), store.Key{Kind: v1test.KindNote, Namespace: v1.DefaultWorkspace, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if obj, err := record.Object(v1test.Kinds()); err != nil || obj.(*v1test.Note).Spec.Text != "hello" {
		t.Errorf("over HTTP it is %+v, %v", obj, err)
	}

	// What it lives in stays while it is there.
	both := filepath.Join(t.TempDir(), "both.yaml")
	if err := os.WriteFile(both, []byte(`apiVersion: jobwright.dev/v1
kind: Note
metadata: {name: b, namespace: acme}
spec: {text: there}
---
apiVersion: jobwright.dev/v1
kind: Workspace
metadata: {name: acme}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, 0, []string{"workspace/acme created\nnote/b created"}, "apply", "-f", both, "--server", address)
	says(t, 1, []string{"it still has notes; delete them first"}, "delete", "workspace", "acme", "--server", address)

	// Backup, restore, and a server over what was restored.
	backup, restored := filepath.Join(t.TempDir(), "backup.json"), filepath.Join(t.TempDir(), "restored")
	says(t, 0, nil, "backup", backup, "--data-dir", dir, "--server", address)
	stop()
	says(t, 0, []string{"objects as of version"}, "restore", "--from", backup, "--data-dir", restored)
	says(t, 0, nil, "fsck", "--data-dir", dir)
	address, stop = serveNotes(t, restored)
	defer stop()
	says(t, 0, []string{"a hello 3"}, "get", "notes", "--server", address)
	says(t, 0, []string{"note/a"}, "delete", "-f", note, "--server", address)

	// Nobody else knows it.
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"get", "notes", "--server", address}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != cli.ExitUsage {
		t.Errorf("code %d of the command as it is shipped: %s%s", code, out.String(), errs.String())
	}
}

// says runs a command with the made-up kind; what it prints must contain all of want,
// whatever the spaces between columns.
func says(t *testing.T, code int, want []string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	got := executeWith(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}, v1test.Kinds())
	text := regexp.MustCompile(` +`).ReplaceAllString(out.String(), " ")
	for _, line := range want {
		if !strings.Contains(text, line) {
			t.Errorf("%s prints\n%s\nwithout %q", strings.Join(args, " "), text, line)
		}
	}
	if got != code {
		t.Fatalf("%s: code %d, want %d:\n%s", strings.Join(args, " "), got, code, text)
	}
}

// serveNotes runs a server that knows the made-up kind, until stop is called.
func serveNotes(t *testing.T, dir string) (address string, stop func()) {
	t.Helper()
	return serveWith(t, dir, v1test.Kinds())
}

// operatorOf is a client with the token that stands in a server's data folder.
func operatorOf(t *testing.T, dir string, cfg client.Config) *client.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(dir, "operator-token"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = &http.Client{Transport: bearer(strings.TrimSpace(string(token)))}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bearer is a transport that sends a token.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// serveWith runs a server with other kinds and more actions, until stop is called.
func serveWith(t *testing.T, dir string, kinds v1.KindSet, more ...action.Maker) (address string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log, logged := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- executeWith(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--min-free-bytes=-1", "--shutdown-grace=0s"},
			cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: logged}, kinds, more...)
		logged.CloseWithError(errors.New("the server has ended"))
	}()
	lines := bufio.NewReader(log)
	for address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if found := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line); strings.Contains(line, "serving") {
			address = found
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return address, func() {
		cancel()
		if code := <-ended; code != cli.ExitOK {
			t.Errorf("the server ended with code %d", code)
		}
	}
}
