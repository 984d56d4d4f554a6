package mcp

import (
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
)

func TestNotesNameTheirServer(t *testing.T) {
	var out strings.Builder
	if err := printNotes(&out, []v1.MCPServer{{Name: "sound"}, {Name: "odd", Notes: []string{"it has tool \"go\" twice", "and 3 more"}}}); err != nil {
		t.Fatal(err)
	}
	const want = `odd lists its tools otherwise than the protocol has it: it has tool "go" twice
odd lists its tools otherwise than the protocol has it: and 3 more
`
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
