package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

// Streams are the standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Invocation is one call of the program: its streams, the kinds of objects that it knows,
// and the server and workspace that flags name.
type Invocation struct {
	Streams
	Kinds     v1.KindSet
	Server    string
	Workspace string
	Context   string
}

// Connect returns a client of the server named by flags, environment or context file, and
// sets Workspace from the same sources.
func (c *Invocation) Connect() (*client.Client, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	c.Workspace = settings.Workspace
	return client.New(client.Config{Server: settings.Server, UserAgent: "jobwright/" + Version(), Kinds: c.Kinds})
}

// Confirm asks the question on a terminal. Without a terminal, yes must be set.
func (c *Invocation) Confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	in, ok := c.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return Usagef("%s There is no terminal to ask on: say --yes", question)
	}
	fmt.Fprintf(c.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("not confirmed; nothing was changed")
	}
	return nil
}
