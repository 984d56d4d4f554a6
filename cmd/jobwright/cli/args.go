package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// Classify turns the errors of cobra's argument checks into usage errors.
func Classify(command *cobra.Command) {
	if check := command.Args; check != nil {
		command.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, ours := errors.AsType[UsageError](err); err == nil || ours {
				return err
			}
			use := strings.TrimSuffix(cmd.UseLine(), " [flags]")
			if words := strings.Fields(cmd.Use); len(args) == 0 && len(words) > 1 {
				return Usagef("%s is missing: use %s", words[1], use)
			}
			return Usagef("%w: use %s", err, use)
		}
	}
	for _, sub := range command.Commands() {
		Classify(sub)
	}
}

func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return Usagef("unknown command %q for %q", args[0], cmd.CommandPath())
}
