package run

import (
	"context"
	"errors"
	"fmt"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
)

// followJob shows a job's log and progress until the job has finished. If ctx ends first,
// followJob cancels the job and continues to follow it.
func followJob(ctx context.Context, c *cli.Invocation, server *client.Client, key client.Key) error {
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	release := context.AfterFunc(ctx, func() {
		fmt.Fprintf(c.Err, "canceling job/%s\n", key.Name)
		if _, err := server.Cancel(follow, key); err != nil {
			fmt.Fprintf(c.Err, "cancel: %v\n", err)
			stop()
		}
	})
	defer release()

	show := print.NewProgress(c.Err)
	printed := make(chan error, 1)
	go func() {
		for line, err := range server.Logs(follow, key, client.LogOptions{Follow: true, TailLines: -1}) {
			if err != nil {
				printed <- err
				return
			}
			show.Line(c.Out, line.Text)
		}
		printed <- nil
	}()
	ended, err := server.Wait(follow, key, func(obj v1.Object) (bool, error) {
		job, _ := obj.(*v1.Job)
		if job == nil {
			return false, fmt.Errorf("job %q was deleted", key.Name)
		}
		show.Job(job)
		return job.Finished(), nil
	})
	if err != nil {
		return err
	}
	if err := <-printed; err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(c.Err, "the log was interrupted: %v\n", err)
	}
	show.End()
	job, ok := ended.(*v1.Job)
	if !ok {
		return ctx.Err()
	}
	fmt.Fprintf(c.Err, "%s %s\n", print.FullName(job), print.Ending(job))
	if code := cli.ExitOf(job.Status.Phase); code != cli.ExitOK {
		return cli.ExitStatus(code)
	}
	return nil
}
