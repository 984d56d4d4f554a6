// Package jobs holds the commands that show and control existing jobs: logs, events,
// failures, cancel, retry and others.
package jobs

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{
		newLogs(c), newEvents(c), newExplainWait(c), newFailures(c), newWait(c),
		newCancel(c), newRetry(c), newSuspend(c), newResume(c), newForceFinish(c),
	}
}
