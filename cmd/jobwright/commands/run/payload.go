package run

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// newRunPayload returns the command for a type without flags of its own: it takes the
// payload's fields one by one.
func newRunPayload(c *cli.Invocation, p v1.Payload) *cobra.Command {
	var o runOptions
	var fields []string
	command := &cobra.Command{
		Use: p.Command, Short: p.Title + ": " + p.About, Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			members, err := jsonPairs("--field", fields)
			if err != nil {
				return err
			}
			spec, err := payloadSpec(p, members)
			if err != nil {
				return err
			}
			return runJob(cmd.Context(), c, o, spec)
		},
	}
	command.Flags().StringArrayVar(&fields, "field", nil, "KEY=VALUE of the payload; VALUE is JSON, or else a string")
	o.bind(command)
	return command
}

// payloadSpec makes a spec of a payload's fields.
func payloadSpec(p v1.Payload, members map[string]v1.JSON) (v1.JobSpec, error) {
	spec := v1.JobSpec{Type: p.Type}
	if len(members) == 0 && p.RecordWithout != "" {
		return spec, nil
	}
	if members == nil {
		members = map[string]v1.JSON{}
	}
	data, err := json.Marshal(members)
	if err != nil {
		return spec, err
	}
	document, err := strict.JSON(data)
	payload := p.New()
	if err := strict.Join(err, document.Decode(payload)); err != nil {
		return spec, cli.Usagef("--field: %v", err)
	}
	return spec, p.Put(&spec, payload)
}
