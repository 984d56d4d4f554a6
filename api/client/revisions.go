package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	v1 "jobwright.dev/api/v1"
)

// RevisionOptions select revisions.
type RevisionOptions struct {
	Namespace string
	// Project is the compose project; empty: the newest revision of each.
	Project string
	// Compose and Diff ask for the compose files, and for what differs between neighbours.
	Compose, Diff bool
}

// Revisions reads the good states of compose projects, the newest first.
func (c *Client) Revisions(ctx context.Context, opts RevisionOptions) (v1.RevisionList, error) {
	path := []string{"apis", v1.Group, v1.Version, "namespaces", opts.Namespace, "revisions"}
	if opts.Project != "" {
		path = append(path, opts.Project)
	}
	query := url.Values{}
	for name, wanted := range map[string]bool{"compose": opts.Compose, "diff": opts.Diff} {
		if wanted {
			query.Set(name, "true")
		}
	}
	var list v1.RevisionList
	response, err := c.do(ctx, http.MethodGet, path, query, nil, "")
	if err != nil {
		return list, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&list); err != nil {
		return list, fmt.Errorf("list revisions: %w", err)
	}
	return list, nil
}

// Projects are the compose projects of a workspace, sorted by name.
func (c *Client) Projects(ctx context.Context, workspace string) (v1.ProjectList, error) {
	var list v1.ProjectList
	response, err := c.do(ctx, http.MethodGet, []string{"apis", v1.Group, v1.Version, "namespaces", workspace, "projects"}, nil, nil, "")
	if err != nil {
		return list, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&list); err != nil {
		return list, fmt.Errorf("list projects: %w", err)
	}
	return list, nil
}

// ForgetProject removes what the server keeps of a compose project that has no containers.
func (c *Client) ForgetProject(ctx context.Context, workspace, project string) error {
	response, err := c.do(ctx, http.MethodDelete, []string{"apis", v1.Group, v1.Version, "namespaces", workspace, "projects", project}, nil, nil, "")
	if err != nil {
		return err
	}
	return response.Body.Close()
}
