package run

import (
	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// pollFlags are the flags for polling an operation until it ends.
type pollFlags struct {
	wanted            bool
	url               string
	interval, timeout int32
	done, failed      []string
}

func (p *pollFlags) bind(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&p.wanted, "poll", false, "the call begins an operation: poll the Location of a 202 until the answer is no longer 202")
	flags.StringVar(&p.url, "poll-url", "", "address to poll; {JSONPATH} in it is taken from the response; implies --poll")
	flags.Int32Var(&p.interval, "poll-interval", 0, "seconds between two polls (default 5)")
	flags.Int32Var(&p.timeout, "poll-timeout", 0, "seconds the operation may take (default 3600)")
	flags.StringArrayVar(&p.done, "poll-done", nil, "JSONPATH=VALUE, JSONPATH~EXPRESSION or JSONPATH: the operation is done if all hold; implies --poll")
	flags.StringArrayVar(&p.failed, "poll-failed", nil, "the same: the operation has failed if one holds; implies --poll")
}

func (p *pollFlags) read() (*v1.APICallPoll, error) {
	if !p.wanted && p.url == "" && len(p.done)+len(p.failed) == 0 {
		if p.interval != 0 || p.timeout != 0 {
			return nil, cli.Usagef("--poll-interval and --poll-timeout go with --poll")
		}
		return nil, nil
	}
	poll := &v1.APICallPoll{URL: p.url}
	if p.interval != 0 {
		poll.IntervalSeconds = &p.interval
	}
	if p.timeout != 0 {
		poll.TimeoutSeconds = &p.timeout
	}
	var err error
	if poll.Done, err = bodyExpectations(p.done); err != nil {
		return nil, err
	}
	poll.Failed, err = bodyExpectations(p.failed)
	return poll, err
}
