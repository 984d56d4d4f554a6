// Package run holds the commands that create jobs from flags, or tell what they would do: run, rollback, plan.
package run

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newRun(c), newPlan(c), newRevisions(c), newRollback(c)}
}
