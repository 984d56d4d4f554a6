package apicall

import (
	"context"
	"fmt"
	"net/http"

	v1 "jobwright.dev/api/v1"
)

// Plan tells what a job would do: the request is built and the address checked, nothing
// is sent. A redirect and what the receiver does cannot be told.
func (r *Runner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	spec := job.Spec.APICall
	if spec == nil || spec.URL == "" {
		return &v1.Plan{Valid: true, Changes: []v1.PlanChange{{
			Verb: v1.PlanKeep, Kind: "record", Detail: "nothing is called; the job is a record, which succeeds as soon as it may start",
		}}}, nil
	}
	c, err := r.prepare(job, "plan")
	if err != nil {
		return &v1.Plan{Problems: []string{err.Error()}}, nil //nolint:nilerr // what is wrong with the job is the answer
	}
	problem, err := r.opts.Network.Reachable(ctx, c.url)
	if err != nil {
		return nil, err
	}
	if problem != "" {
		return &v1.Plan{Problems: []string{"spec.apiCall.url: " + problem}}, nil
	}
	detail := "no body"
	if len(c.body) > 0 {
		detail = fmt.Sprintf("a body of %d bytes, %s", len(c.body), c.header.Get("Content-Type"))
		if _, secret := c.secretHeader("Content-Type"); secret || c.hasSecretBody() {
			detail = "a body with secrets"
		}
	}
	changes := []v1.PlanChange{{Verb: v1.PlanCall, Kind: "url", Name: c.name, Detail: detail}}
	if p := c.polling; p != nil {
		where := "the Location of a response with status 202"
		if p.url != nil {
			where = spec.Poll.URL
		}
		changes = append(changes, v1.PlanChange{
			Verb: v1.PlanCall, Kind: "poll", Name: http.MethodGet + " " + where, Detail: fmt.Sprintf("every %s, for %s at most", p.interval, p.timeout),
		})
	}
	return &v1.Plan{Valid: true, Changes: changes}, nil
}

// hasSecretBody reports whether the length of the body would tell that of a secret.
func (c *call) hasSecretBody() bool {
	refs, err := c.spec.Body.SecretRefs()
	return err != nil || len(refs) > 0
}

// secretHeader reports whether the job takes a header from a secret.
func (c *call) secretHeader(name string) (v1.HeaderValue, bool) {
	for own, value := range c.spec.Headers {
		if http.CanonicalHeaderKey(own) == name {
			return value, value.ValueFrom != nil
		}
	}
	return v1.HeaderValue{}, false
}
