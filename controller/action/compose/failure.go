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
)

// asideTime is how long what is asked after the verdict may take: logs, and a last look
// at an engine that may be gone.
const asideTime = 10 * time.Second

// fail is the outcome of a cause; more follows it in the message.
func (d *deploy) fail(c cause, more string) action.Outcome {
	o := action.Fail(c.reason, c.sentence())
	if more != "" {
		o.Message += " " + more
	}
	if d.board != nil {
		o.Result = d.board.result()
	}
	if d.started || d.code > 0 {
		exit := int32(d.code)
		o.ExitCode = &exit
	}
	return o
}

// unreadable is the outcome of a compose file that compose does not take.
func (d *deploy) unreadable(ctx context.Context, err error) action.Outcome {
	if e := (*exceeded)(nil); errors.As(context.Cause(ctx), &e) {
		return action.Fail(v1.ReasonStageTimeout, "Reading the compose file: "+e.Error()+".")
	}
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: d.name + " was not started; the project is as it was before.", Repeatable: true}
	}
	c := diagnose(newCourse(model{}), starting, err.Error())
	if said := (*refusedError)(nil); !errors.As(err, &said) {
		return d.r.unavailable(err)
	} else if c.text = said.said; c.reason == v1.ReasonExitCode {
		c.reason, d.code = v1.ReasonInvalidComposeFile, said.code
	}
	return d.fail(c, "Nothing was started.")
}

// unreachable is the outcome when the engine does not answer.
func (d *deploy) unreachable(ctx context.Context, err error) action.Outcome {
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
func (d *deploy) late(ctx, limited context.Context, tail string) action.Outcome {
	e := &exceeded{stage: d.dog.at()}
	_ = errors.As(context.Cause(limited), &e)
	c := cause{reason: v1.ReasonStageTimeout, text: e.Error(), service: d.course.busy()}
	if d.unanswered != nil {
		c.reason, c.text = v1.ReasonUnhealthy, fmt.Sprintf("health.probe was not answered as expected for %s; spec.deploy.limits.healthSeconds is %d. The last answer: %v",
			e.idle.Round(time.Second), int(e.limit/time.Second), d.unanswered)
		return d.fail(c, "Every service is up; containers were left as they are.")
	}
	more := d.name + " was stopped; containers were left as they were."
	ctx, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	if e.stage == health {
		if seen, err := d.lookout.look(ctx); err == nil {
			j := judge(d.present(seen), seen, d.lookout.now())
			d.board.take(j.services)
			if slow := slices.IndexFunc(j.services, func(s serviceState) bool { return s.grade != good }); slow >= 0 {
				s := j.services[slow]
				c.service = s.Name
				c.text = fmt.Sprintf("%s; it is %s, %s", c.text, s.State, s.Message)
				return d.fail(c, d.others(j, s.Name)+d.log(ctx, s.worst))
			}
		}
		more = ""
	}
	if tail != "" {
		more += " Its last words:\n" + tail
	}
	return d.fail(c, strings.TrimSpace(more))
}

// broken is the outcome when docker compose has failed by itself.
func (d *deploy) broken(ctx context.Context, tail string) action.Outcome {
	c := diagnose(d.course, d.dog.at(), tail)
	ended := ended(d.name, d.code)
	ctx, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	seen, err := d.lookout.look(ctx)
	if err != nil {
		c.reason, c.service = v1.ReasonEngineUnavailable, ""
		return d.fail(c, fmt.Sprintf("The docker engine does not answer: %v. %s", err, ended))
	}
	j := judge(d.present(seen), seen, d.lookout.now())
	d.board.take(j.services)
	// What compose says of a dependency that failed is less than what the container says.
	if worst := slices.IndexFunc(j.services, func(s serviceState) bool { return s.grade == failed }); worst >= 0 && c.reason == v1.ReasonExitCode {
		s := j.services[worst]
		if s.State == "created" {
			c.reason, c.service = s.reason, s.Name
			return d.fail(c, ended+lastWords(tail))
		}
		c = cause{reason: s.reason, service: s.Name, text: s.Message}
		return d.fail(c, strings.TrimSpace(d.others(j, s.Name)+ended+" "+d.log(ctx, s.worst)))
	}
	if c.reason == v1.ReasonExitCode && c.service != "" {
		c.reason = v1.ReasonContainerFailed
	}
	return d.fail(c, ended+lastWords(tail))
}

// ended says how docker compose has ended.
func ended(name string, code int) string {
	if code < 0 {
		return name + " was killed by a signal that did not come from Jobwright."
	}
	return fmt.Sprintf("%s ended with exit code %d.", name, code)
}

func lastWords(tail string) string {
	if tail == "" {
		return ""
	}
	return " Its last words:\n" + tail
}

// unhealthy is the outcome when a service has failed.
func (d *deploy) unhealthy(ctx context.Context, j judgment) action.Outcome {
	d.board.take(j.services)
	worst := j.services[slices.IndexFunc(j.services, func(s serviceState) bool { return s.grade == failed })]
	ctx, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	o := d.fail(cause{reason: worst.reason, service: worst.Name, text: worst.Message}, strings.TrimSpace(d.others(j, worst.Name)+d.log(ctx, worst.worst)))
	if d.code == 0 && worst.ExitCode != nil {
		exit := int32(*worst.ExitCode) // says more than compose's
		o.ExitCode = &exit
	}
	return o
}

// others names the other services that are not up.
func (d *deploy) others(j judgment, but string) string {
	var out []string
	for _, s := range j.services {
		if s.Name != but && s.grade != good {
			out = append(out, fmt.Sprintf("%s (%s)", s.Name, s.State))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "Not up either: " + strings.Join(out, ", ") + ". "
}
