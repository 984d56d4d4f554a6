// Package run holds the commands that create jobs from flags or plan jobs: run, rollback,
// revisions and plan.
package run

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newRun(c), newPlan(c), newRevisions(c), newRollback(c), newProjects(c), newForget(c)}
}
