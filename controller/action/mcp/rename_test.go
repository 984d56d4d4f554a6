package mcp

import "testing"

func TestOnlyTheMethodOfAMessageIsRenamed(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"an own method": {
			`{"jsonrpc":"2.0","id":1,"method":"jobwright/tools/call","params":{"method":"jobwright/tools/call"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"method":"jobwright/tools/call"}}`,
		},
		"an own name in arguments": {
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"method":"jobwright/tools/call"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"method":"jobwright/tools/call"}}`,
		},
		"an answer":  {`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":1,"result":{}}`},
		"no message": {`method`, `method`},
		"no bytes":   {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(renamed([]byte(tc.in))); got != tc.want {
				t.Errorf("renamed = %s", got)
			}
		})
	}
}
