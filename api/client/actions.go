package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	v1 "jobwright.dev/api/v1"
)

// mergePatch is the media type of RFC 7386.
const mergePatch = "application/merge-patch+json"

// Explain returns why a job is in its phase.
func (c *Client) Explain(ctx context.Context, key Key) (*v1.JobExplanation, error) {
	response, err := c.do(ctx, http.MethodGet, key.path("explain"), nil, nil, "")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := new(v1.JobExplanation)
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return nil, fmt.Errorf("decode the explanation of %s: %w", key.Name, err)
	}
	return answer, nil
}

// Plan returns what a job would do, without creating it. Validation errors are the plan's
// problems.
func (c *Client) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	body, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("encode the job %s: %w", job.Name, err)
	}
	path := []string{"apis", v1.Group, v1.Version, "namespaces", job.Namespace, "plan"}
	response, err := c.do(ctx, http.MethodPost, path, nil, body, "application/json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := new(v1.Plan)
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return nil, fmt.Errorf("decode the plan of %s: %w", job.Name, err)
	}
	return answer, nil
}

// Retry runs a finished job again unchanged, and starts a job in back-off at once.
func (c *Client) Retry(ctx context.Context, key Key) (v1.Object, error) {
	response, err := c.do(ctx, http.MethodPost, key.path("retry"), nil, nil, "")
	if err != nil {
		return nil, err
	}
	return decode(response, key.Kind)
}

// ForceFinish ends a job at once, in the phase that an operator decides.
func (c *Client) ForceFinish(ctx context.Context, key Key, decision v1.ForceFinish) (v1.Object, error) {
	body, err := json.Marshal(decision)
	if err != nil {
		return nil, err
	}
	response, err := c.do(ctx, http.MethodPost, key.path("force-finish"), nil, body, "application/json")
	if err != nil {
		return nil, err
	}
	return decode(response, key.Kind)
}

// Patch changes an object by a JSON merge patch (RFC 7386).
func (c *Client) Patch(ctx context.Context, key Key, patch any) (v1.Object, error) {
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("encode the patch of %s: %w", key.Name, err)
	}
	response, err := c.do(ctx, http.MethodPatch, key.path(), nil, body, mergePatch)
	if err != nil {
		return nil, err
	}
	return decode(response, key.Kind)
}

// Backup writes a consistent copy of the server's whole store to w. token is the
// operator's, which stands in the server's data folder.
func (c *Client) Backup(ctx context.Context, token string, w io.Writer) (int64, error) {
	response, err := c.do(withToken(ctx, token), http.MethodGet, []string{"api", "backup"}, nil, nil, "")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.Copy(w, response.Body)
	if err != nil {
		return n, fmt.Errorf("backup: %w", err)
	}
	return n, nil
}

type tokenKey struct{}

// withToken adds the operator's token to the requests of a context.
func withToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}
