package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
)

// inspectTime is how long what is asked after the verdict may take: logs, and a last list
// of the containers from an engine that may be gone.
const inspectTime = 10 * time.Second

// fail is the outcome of a cause; more follows it in the message.
func (d *deploy) fail(c cause, more string) *action.Outcome {
	o := action.Fail(c.reason, c.sentence())
	if more != "" {
		o.Message += " " + more
	}
	if d.report != nil {
		o.Result = d.report.result()
	}
	if d.started || d.code > 0 {
		o.Facts = exitCode(d.code)
	}
	return &o
}

// unreadable is the outcome of a compose file that compose does not take.
func (d *deploy) unreadable(ctx context.Context, err error) *action.Outcome {
	if e := outlasted(ctx); e != nil {
		return refused(v1.ReasonStageTimeout, "Reading the compose file: "+e.Error()+".")
	}
	if ctx.Err() != nil {
		return &action.Outcome{Verdict: action.Stopped, Message: d.name + " was not started; the project is as it was before.", Repeatable: true}
	}
	c := diagnose(newSteps(&rendering{}), starting, err.Error())
	if said := (*engine.RefusedError)(nil); !errors.As(err, &said) {
		return new(d.r.unavailable(err))
	} else if c.text = said.Said; c.reason == v1.ReasonExitCode {
		c.reason, d.code = v1.ReasonInvalidComposeFile, said.Code
	}
	return d.fail(c, "Nothing was started.")
}

// unreachable is the outcome when the engine does not answer.
func (d *deploy) unreachable(ctx context.Context, err error) *action.Outcome {
	if ctx.Err() != nil {
		return d.unreadable(ctx, err)
	}
	c := cause{
		reason: v1.ReasonEngineUnavailable, text: "the docker engine does not answer: " + err.Error(),
		hint: "See that the docker engine runs and that the server may use it.",
	}
	if !d.started {
		return d.fail(c, "Nothing was started.")
	}
	return d.fail(c, "What became of the project's containers is not known.")
}

// late is the outcome when a limit has passed.
func (d *deploy) late(ctx context.Context) *action.Outcome {
	e := outlasted(ctx)
	c := cause{reason: v1.ReasonStageTimeout, text: e.Error(), service: d.steps.busy()}
	if d.unanswered != nil {
		c.reason, c.text = v1.ReasonUnhealthy, fmt.Sprintf("health.probe was not answered as expected for %s; %s. The last answer: %v",
			e.idle.Round(time.Second), e.source(), d.unanswered)
		return d.fail(c, "Every service is up; containers were left as they are.")
	}
	more := d.name + " was stopped; containers were left as they were."
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), inspectTime)
	defer cancel()
	if e.stage == waitHealth {
		if seen, err := d.project.Containers(ctx); err == nil {
			j := d.judge(seen)
			d.report.observe(j.Services)
			if s, ok := d.culprit(j); ok {
				c.service = s.Name
				c.text = fmt.Sprintf("%s; it is %s, %s", c.text, s.State, s.Message)
				return d.fail(c, j.Others(s.Name)+d.log(ctx, s.Worst))
			}
		}
		more = ""
	}
	if d.tail != "" {
		more += engine.LastWords(d.tail)
	}
	return d.fail(c, strings.TrimSpace(more))
}

// broken is the outcome when docker compose has failed by itself.
func (d *deploy) broken(ctx context.Context) *action.Outcome {
	c := diagnose(d.steps, d.limits.at(), d.tail)
	ended := engine.Ended(d.name, d.code)
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	seen, err := d.project.Containers(ctx)
	if err != nil {
		c.reason, c.service = v1.ReasonEngineUnavailable, ""
		return d.fail(c, fmt.Sprintf("The docker engine does not answer: %v. %s", err, ended))
	}
	j := d.judge(seen)
	d.report.observe(j.Services)
	// What compose says of a dependency that failed is less than what the container says.
	if worst := slices.IndexFunc(j.Services, func(s health.ServiceState) bool { return s.Grade == health.Failed }); worst >= 0 && c.reason == v1.ReasonExitCode {
		s := j.Services[worst]
		if s.State == "created" {
			c.reason, c.service = s.Reason, s.Name
			return d.fail(c, ended+engine.LastWords(d.tail))
		}
		c = cause{reason: s.Reason, service: s.Name, text: s.Message}
		return d.fail(c, strings.TrimSpace(j.Others(s.Name)+ended+" "+d.log(ctx, s.Worst)))
	}
	if c.reason == v1.ReasonExitCode && c.service != "" {
		c.reason = v1.ReasonContainerFailed
	}
	return d.fail(c, ended+engine.LastWords(d.tail))
}

// unhealthy is the outcome when a service has failed.
func (d *deploy) unhealthy(ctx context.Context, j health.Judgment) *action.Outcome {
	d.report.observe(j.Services)
	worst := j.Services[slices.IndexFunc(j.Services, func(s health.ServiceState) bool { return s.Grade == health.Failed })]
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	o := d.fail(cause{reason: worst.Reason, service: worst.Name, text: worst.Message}, strings.TrimSpace(j.Others(worst.Name)+d.log(ctx, worst.Worst)))
	if d.code == 0 && worst.ExitCode != nil {
		o.Facts = exitCode(*worst.ExitCode) // says more than compose's
	}
	return o
}

// log is the end of what a container wrote, as the end of a message.
func (d *deploy) log(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	lines, err := d.project.LogTail(ctx, id)
	switch {
	case err != nil:
		return "Its log could not be read: " + err.Error() + "."
	case len(lines) == 0:
		return "It has logged nothing."
	}
	return "The end of its log:\n" + strings.Join(lines, "\n")
}
