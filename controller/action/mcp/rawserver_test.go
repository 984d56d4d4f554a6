package mcp_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// firstTry is how long a server is waited for in tests that says nothing; those that say
// something do it ten times as often, so that a busy machine does not make them silent.
const firstTry = time.Second

// rawServer speaks JSON-RPC by hand, so that it can break every rule that the SDK keeps.
// How it starts is its mode; how a call goes is for the tool to say.
type rawServer struct {
	mode string
	out  *bufio.Writer
}

// rawMessage is a request or a notification.
type rawMessage struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name string `json:"name"`
		Meta struct {
			Token json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	} `json:"params"`
}

// faultyTools are what a raw server offers.
var faultyTools = []string{
	"ok", "pid", "dies", "hangs", "ignores-everything", "floods-with-a-line", "floods-with-a-frame", "floods-with-progress",
	"floods-stderr", "talks-on-stdout", "answers-twice", "answers-another", "answers-nobody", "answers-a-string", "answers-an-object",
	"answers-a-half", "leaves-a-child", "leaves-a-child-and-dies", "closes-stdout", "closes-stdin", "stops-reading", "answers-and-leaves", "reads-and-leaves", "hides-a-process", "talks-late",
}

func (s *rawServer) run() {
	s.out = bufio.NewWriter(os.Stdout)
	if s.mode == "dies-at-once" {
		s.exit(7, "no licence found")
	}
	if s.mode == "talks-at-start" {
		s.line("> npx some-server@1.2.3\n")
		s.line("{ level: 'info' }")
		s.line(`{"level":30,"msg":"listening"}`)
	}
	if s.mode == "babbles" {
		for {
			if _, err := os.Stdout.WriteString("no message " + strings.Repeat("x", 1<<10) + "\n"); err != nil {
				os.Exit(1)
			}
		}
	}
	if s.mode == "slow-start" {
		fmt.Fprintln(os.Stderr, "starting", os.Getpid())
		<-time.After(2 * firstTry)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var m rawMessage
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			s.exit(8, err.Error())
		}
		s.handle(m)
	}
}

func (s *rawServer) handle(m rawMessage) {
	switch m.Method {
	case "server/discover":
		switch s.mode {
		case "hangs-at-start":
			forever()
		case "expects-initialize": // as servers of the Rust SDK do
			s.exit(13, "expected initialize")
		case "greets-and-ignores-discover":
			s.line(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hello"}}`)
			return
		case "ignores-discover":
			return
		case "slow-initialize":
			fmt.Fprintln(os.Stderr, "starting", os.Getpid())
		case "tells-of-its-start": // for longer than a silent one is waited for
			fmt.Fprintln(os.Stderr, "starting", os.Getpid())
			for i := range 20 {
				<-time.After(firstTry / 10)
				fmt.Fprintf(os.Stderr, "fetched %d of 20\n", i+1)
			}
		}
		s.line(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"error":{"code":-32601,"message":"Method not found"}}`)
	case "initialize":
		if s.mode == "hangs-at-start" {
			forever()
		}
		if s.mode == "slow-initialize" { // for longer than a silent one is waited for
			<-time.After(2 * firstTry)
		}
		if s.mode == "dies-in-initialize" {
			s.exit(9, "cannot read my own configuration")
		}
		s.answer(m.ID, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"raw","version":"1"}}`)
	case "ping":
		s.answer(m.ID, `{}`)
	case "tools/list":
		if s.mode == "dies-after-initialize" {
			s.exit(10, "database is locked")
		}
		var tools []string
		for _, name := range faultyTools {
			tools = append(tools, `{"name":"`+name+`","inputSchema":{"type":"object"}}`)
		}
		s.answer(m.ID, `{"tools":[`+strings.Join(tools, ",")+`]}`)
	case "tools/call":
		s.call(m)
	}
}

func (s *rawServer) call(m rawMessage) {
	const ok = `{"content":[{"type":"text","text":"done"}]}`
	progress := func(done int, text string) {
		s.write(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"total":1000000,"message":%q}}`+"\n",
			m.Params.Meta.Token, done, text))
	}
	working := func() {
		progress(1, "working "+fmt.Sprint(os.Getpid()))
		s.flush()
	}
	switch m.Params.Name {
	case "ok":
		s.answer(m.ID, ok)
	case "pid":
		s.answer(m.ID, fmt.Sprintf(`{"content":[{"type":"text","text":"%d"}]}`, os.Getpid()))
	case "dies":
		s.exit(3, "segmentation fault, more or less")
	case "hangs":
		working()
	case "ignores-everything":
		signal.Ignore(syscall.SIGTERM)
		working()
		forever()
	case "floods-with-a-line":
		for range 100 << 10 {
			s.write(strings.Repeat("x", 1<<10))
		}
		s.line("")
		s.answer(m.ID, ok)
	case "floods-with-a-frame":
		s.write(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"content":[{"type":"text","text":"`)
		for range 100 << 10 {
			s.write(strings.Repeat("x", 1<<10))
		}
		s.line(`"}]}}`)
	case "floods-with-progress":
		for i := range 100_000 {
			progress(i, "step "+fmt.Sprint(i%10))
		}
		s.answer(m.ID, ok)
	case "floods-stderr":
		w := bufio.NewWriter(os.Stderr)
		for i := range 100_000 {
			fmt.Fprintln(w, "line", i)
		}
		w.Flush()
		s.answer(m.ID, ok)
	case "talks-on-stdout":
		s.line("[INFO] looking around")
		s.line("  at Object.<anonymous>")
		s.line(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`)
		s.answer(m.ID, ok)
	case "answers-twice":
		s.answer(m.ID, ok)
		s.answer(m.ID, `{"content":[{"type":"text","text":"the second"}],"isError":true}`)
	case "answers-another": // and this one as well, so that the first is known to be passed over
		s.line(`{"jsonrpc":"2.0","id":123456,"result":{}}`)
		s.line(`{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"?"}}`)
		s.answer(m.ID, ok)
	case "answers-nobody":
		s.line(`{"jsonrpc":"2.0","id":123456,"result":` + ok + `}`)
		working()
	case "answers-a-string":
		s.answer(m.ID, `"done"`)
	case "answers-an-object":
		s.answer(m.ID, `{"content":"done"}`)
	case "answers-a-half":
		s.line(`{"jsonrpc":"2.0","id":` + string(m.ID) + `}`)
	case "leaves-a-child", "leaves-a-child-and-dies":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fakeEnv+"=sleeps")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			s.exit(1, err.Error())
		}
		if m.Params.Name == "leaves-a-child-and-dies" {
			s.exit(4, "leaving")
		}
		s.answer(m.ID, ok)
	case "closes-stdout":
		os.Stdout.Close()
		forever()
	case "closes-stdin":
		os.Stdin.Close()
		s.answer(m.ID, ok)
		forever()
	case "hides-a-process": // in a session of its own, with an empty environment
		child := exec.Command("sleep", "300")
		child.Env, child.SysProcAttr = []string{}, &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			s.exit(1, err.Error())
		}
		progress(1, "working "+fmt.Sprint(child.Process.Pid))
		s.flush()
	case "talks-late": // of its call, and between two
		fmt.Fprintln(os.Stderr, "early")
		s.answer(m.ID, ok)
		<-time.After(100 * time.Millisecond)
		fmt.Fprintln(os.Stderr, "late")
		s.line(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"late too"}}`)
	case "answers-and-leaves": // as servers do that serve one call
		s.answer(m.ID, ok)
		// The next call is in the pipe then, and stays there.
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(os.Stdin.Fd()), Events: unix.POLLIN}}, -1)
			if err == nil {
				s.exit(0, "one call, as agreed")
			}
			if !errors.Is(err, unix.EINTR) {
				s.exit(1, err.Error())
			}
		}
	case "reads-and-leaves":
		s.answer(m.ID, ok)
		if _, err := os.Stdin.Read(make([]byte, 1<<16)); err != nil {
			s.exit(1, err.Error())
		}
		s.exit(0, "no more")
	case "stops-reading":
		s.answer(m.ID, ok)
		forever()
	}
}

func (s *rawServer) answer(id json.RawMessage, result string) {
	s.line(`{"jsonrpc":"2.0","id":` + string(id) + `,"result":` + result + `}`)
}

func (s *rawServer) line(text string) {
	s.write(text + "\n")
	s.flush()
}

func (s *rawServer) write(text string) {
	if _, err := io.WriteString(s.out, text); err != nil {
		os.Exit(11) // the client has gone
	}
}

func (s *rawServer) flush() {
	if s.out.Flush() != nil {
		os.Exit(11)
	}
}

func (s *rawServer) exit(code int, words string) {
	fmt.Fprintln(os.Stderr, words)
	os.Exit(code)
}

// forever never returns. Without a timer, Go would call that a deadlock.
func forever() {
	<-time.After(time.Hour)
	os.Exit(12)
}
