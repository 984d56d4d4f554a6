package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/spool"
)

func outcome(attempt string) spool.Outcome {
	return spool.Outcome{
		Namespace: "acme", Job: "one", UID: "u", Attempt: attempt,
		Outcome: action.Outcome{
			Verdict: action.Failed, Reason: v1.ReasonExitCode, Message: "exit 1", Facts: action.Facts{v1.FactExitCode: "1"}, Repeatable: true,
			Result: &v1.JSON{Raw: []byte(`{"a":1}`)}, Artifacts: []v1.Artifact{{Name: "x"}},
		},
		Status: &v1.JobStatus{Phase: v1.JobFailed, Reason: v1.ReasonExitCode},
	}
}

// open opens the folder, of which as many files as said cannot be read.
func open(t *testing.T, dir string, unreadable int) *spool.Spool {
	t.Helper()
	s, unread, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(unread) != unreadable {
		t.Errorf("unread: %v; want %d", unread, unreadable)
	}
	return s
}

func TestWhatIsKeptIsThereAtTheNextStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outcomes")
	s := open(t, dir, 0)
	want := outcome("u-1")
	for _, o := range []spool.Outcome{want, outcome("u-2")} {
		if err := s.Keep(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove("u-2"); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 0)
	if diff := cmp.Diff([]spool.Outcome{want}, s.All()); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if got, ok := s.Get("u-1"); !ok || got.Outcome.Message != "exit 1" {
		t.Errorf("u-1 = %+v, %t", got, ok)
	}
	info, err := os.Stat(filepath.Join(dir, "u-1.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info, err)
	}
}

func TestFilesThatCannotBeReadArePassedOver(t *testing.T) {
	for name, test := range map[string]struct {
		file, content string
		unread        int
		stays         bool
	}{
		"a write that did not end":        {".u-2.json8674665223082153551", `{"attempt":"u-`, 0, false},
		"a torn file":                     {"u-2.json", `{"attempt":"u-`, 1, true},
		"a file about another attempt":    {"u-2.json", `{"attempt":"u-3","outcome":{"Verdict":"Lost"}}`, 1, true},
		"a verdict that nobody knows":     {"u-2.json", `{"attempt":"u-2","outcome":{"Verdict":"Perhaps"}}`, 1, true},
		"more than an outcome may have":   {"u-2.json", strings.Repeat(" ", spool.MaxBytes+1), 1, true},
		"an empty file, as after a crash": {"u-2.json", "", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := open(t, dir, 0).Keep(outcome("u-1")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, test.file)
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if all := open(t, dir, test.unread).All(); len(all) != 1 || all[0].Attempt != "u-1" {
				t.Errorf("kept: %+v", all)
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) == test.stays {
				t.Errorf("%s: %v", test.file, err)
			}
		})
	}
}

// TestFilesOfAnEarlierVersion: they have a field for each fact.
func TestFilesOfAnEarlierVersion(t *testing.T) {
	for name, test := range map[string]struct {
		outcome string
		want    action.Facts
	}{
		"an exit code":           {`{"Verdict":"Failed","Reason":"ExitCode","ExitCode":3,"HTTPStatus":0,"ToolError":false,"RPCCode":0}`, action.Facts{v1.FactExitCode: "3"}},
		"the exit code 0":        {`{"Verdict":"Succeeded","ExitCode":0,"HTTPStatus":0,"ToolError":false,"RPCCode":0}`, action.Facts{v1.FactExitCode: "0"}},
		"a status":               {`{"Verdict":"Failed","ExitCode":null,"HTTPStatus":503,"ToolError":false,"RPCCode":0}`, action.Facts{v1.FactHTTPStatus: "503"}},
		"a tool's error":         {`{"Verdict":"Failed","ExitCode":null,"HTTPStatus":0,"ToolError":true,"RPCCode":0}`, action.Facts{v1.FactToolError: "true"}},
		"an RPC code by HTTP":    {`{"Verdict":"Failed","ExitCode":null,"HTTPStatus":400,"ToolError":false,"RPCCode":-32602}`, action.Facts{v1.FactHTTPStatus: "400", v1.FactRPCCode: "-32602"}},
		"nothing was reported":   {`{"Verdict":"Lost","ExitCode":null,"HTTPStatus":0,"ToolError":false,"RPCCode":0}`, nil},
		"a file of this version": {`{"Verdict":"Failed","Facts":{"exitCode":"3"}}`, action.Facts{v1.FactExitCode: "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := `{"namespace":"acme","job":"one","uid":"u","attempt":"u-1","outcome":` + test.outcome + `}`
			if err := os.WriteFile(filepath.Join(dir, "u-1.json"), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, ok := open(t, dir, 0).Get("u-1")
			if diff := cmp.Diff(test.want, got.Outcome.Facts); !ok || diff != "" {
				t.Errorf("kept %t (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestWhatIsTooMuchIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	large := outcome("u-1")
	large.Outcome.Message = strings.Repeat("x", spool.MaxBytes)
	if err := s.Keep(large); err == nil || !strings.Contains(err.Error(), fmt.Sprint(spool.MaxBytes)) {
		t.Errorf("a large outcome: %v", err)
	}
	for _, attempt := range []string{"", "../u-1", "a/b", "u.1", strings.Repeat("u", 201)} {
		if err := s.Keep(outcome(attempt)); err == nil {
			t.Errorf("attempt %q was kept", attempt)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// TestAFailedKeepLeavesTheOneBefore: a file that cannot be written changes nothing.
func TestAFailedKeepLeavesTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	if err := s.Keep(outcome("u-1")); err != nil {
		t.Fatal(err)
	}
	aside := dir + "-aside"
	if err := errors.Join(os.Rename(dir, aside), os.WriteFile(dir, nil, 0o600)); err != nil { // in the folder's place
		t.Fatal(err)
	}
	later := outcome("u-1")
	later.Outcome.Message = "later"
	if err := s.Keep(later); err == nil {
		t.Error("the outcome was kept in a file's place")
	}
	if got, _ := s.Get("u-1"); got.Outcome.Message != "exit 1" {
		t.Errorf("kept: %+v", got)
	}
	if all := open(t, aside, 0).All(); len(all) != 1 || all[0].Outcome.Message != "exit 1" {
		t.Errorf("on disk: %+v", all)
	}
}
