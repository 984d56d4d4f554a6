// Stubborn is an MCP server that ignores the end of its input and every signal, as a
// program does that is process 1 of a container. It answers by hand.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGPIPE)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Name string `json:"name"`
				Meta struct {
					Token json.RawMessage `json:"progressToken"`
				} `json:"_meta"`
			} `json:"params"`
		}
		if json.Unmarshal(in.Bytes(), &m) != nil {
			continue
		}
		answer := func(result string) { fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, result) }
		switch m.Method {
		case "server/discover":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}`+"\n", m.ID)
		case "initialize":
			answer(`{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"stubborn","version":"1"}}`)
		case "tools/list":
			answer(`{"tools":[{"name":"ok","inputSchema":{"type":"object"}},{"name":"hangs","inputSchema":{"type":"object"}}]}`)
		case "tools/call":
			if m.Params.Name == "ok" {
				answer(`{"content":[{"type":"text","text":"done"}]}`)
				continue
			}
			fmt.Printf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1,"message":"working"}}`+"\n", m.Params.Meta.Token)
		}
	}
	for {
		<-time.After(time.Hour)
	}
}
