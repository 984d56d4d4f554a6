package apicall

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	v1 "jobwright.dev/api/v1"
)

// resolveTime bounds how long a plan waits for the name of a host to be resolved.
const resolveTime = 10 * time.Second

// Plan implements action.Planner: the request is built and the address checked, nothing
// is sent. A redirect and what the receiver does cannot be told.
func (r *Runner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	call := job.Spec.APICall
	if call == nil || call.URL == "" {
		return &v1.Plan{Valid: true, Changes: []v1.PlanChange{{
			Verb: v1.PlanKeep, Kind: "record", Detail: "nothing is called; the job is a record that succeeds at once",
		}}}, nil
	}
	request, err := r.request(ctx, call, "plan")
	if err != nil {
		return &v1.Plan{Problems: []string{err.Error()}}, nil //nolint:nilerr // what is wrong with the job is the answer
	}
	if _, err := newCheck(call); err != nil {
		return &v1.Plan{Problems: []string{err.Error()}}, nil //nolint:nilerr // the same
	}
	problem, err := r.reachable(ctx, request)
	if err != nil {
		return nil, err
	}
	if problem != "" {
		return &v1.Plan{Problems: []string{problem}}, nil
	}
	detail := "no body"
	if request.ContentLength > 0 {
		detail = fmt.Sprintf("a body of %d bytes, %s", request.ContentLength, request.Header.Get("Content-Type"))
	}
	return &v1.Plan{Valid: true, Changes: []v1.PlanChange{{
		Verb: v1.PlanCall, Kind: "url", Name: request.Method + " " + request.URL.Redacted(), Detail: detail,
	}}}, nil
}

// reachable says why the address of a request must not be called; empty: it may be.
func (r *Runner) reachable(ctx context.Context, request *http.Request) (problem string, err error) {
	const path = "spec.apiCall.url: "
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", request.URL.Hostname())
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return path + "no such host: " + request.URL.Hostname(), nil
	}
	if err != nil {
		return "", fmt.Errorf("resolve the host of the call: %w", err)
	}
	if r.opts.AllowPrivate {
		return "", nil
	}
	for _, address := range addresses {
		refused := checkAddr(address)
		if refused == nil {
			return "", nil
		}
		problem = path + refused.Error()
	}
	return problem, nil
}
