package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Choice defines a flag that takes one of the supported words, with shell completion. The
// default is the content of value.
func Choice(command *cobra.Command, value *string, name, shorthand, usage string, supported ...string) {
	command.Flags().VarP(&choice{value: value, initial: *value, supported: supported}, name, shorthand, usage)
	CompleteValues(command, name, supported...)
}

// Output defines the flag --output with the formats that it takes.
func Output(command *cobra.Command, value *string, usage string, formats ...string) {
	Choice(command, value, "output", "o", usage, formats...)
}

// CompleteValues sets the words that a shell offers for a flag.
func CompleteValues(command *cobra.Command, flag string, values ...string) {
	CompleteFlag(command, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// CompleteFlag sets what a shell offers for a flag.
func CompleteFlag(command *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := command.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag is not there: a mistake of the program
	}
}

// choice is the value of a flag that takes one of several words.
type choice struct {
	value     *string
	initial   string
	supported []string
}

func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (*choice) Type() string { return "string" }

func (c *choice) Set(text string) error {
	if text != c.initial && !slices.Contains(c.supported, text) {
		return unsupportedError(c.supported)
	}
	*c.value = text
	return nil
}

// unsupportedError lists the words that a flag takes, after another one was given.
type unsupportedError []string

func (e unsupportedError) Error() string { return "supported values: " + strings.Join(e, ", ") }

// FlagError turns the errors of pflag into usage errors.
func FlagError(_ *cobra.Command, err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if unsupported, chosen := errors.AsType[unsupportedError](err); ok && chosen {
		return Usagef("--%s %q: %w", invalid.GetFlag().Name, invalid.GetValue(), unsupported)
	}
	return UsageError{err}
}
