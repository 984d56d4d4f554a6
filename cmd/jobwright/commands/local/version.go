package local

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

func newVersion(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if output == "json" {
				return json.NewEncoder(c.Out).Encode(map[string]string{
					"version": cli.Version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(c.Out, "jobwright %s (%s, %s/%s)\n", cli.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cli.Output(command, &output, "json", "json")
	return command
}
