package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/compose"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/mcp"
	mcpconfig "jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/action/secrets"
	"jobwright.dev/store"
)

// actions are the registered actions. Two Runners have names of their own: the API lists the
// servers of builds, which SIGHUP reloads, and the projects of deploys.
type actions struct {
	action.Set
	mcp     *mcp.Runner
	compose *compose.Runner
}

// newActions reads the operator's files and registers the actions: one line for each.
func (s setup) newActions(f *folder) (*actions, error) {
	secretSet := new(secrets.Set)
	if s.secrets != "" {
		var err error
		if secretSet, err = secrets.Load(s.secrets); err != nil {
			return nil, err
		}
	}
	network, err := s.newNetwork()
	if err != nil {
		return nil, err
	}
	composeRunner, err := compose.New(compose.Options{
		Roots: s.composeRoots, Worker: f.worker, Secrets: secretSet, Revisions: f.revisions, Since: since(f.store), Network: network,
	})
	if err != nil {
		return nil, err
	}
	if err := s.warnOpenRoots(composeRunner, f.store); err != nil {
		return nil, err
	}
	mcpRunner, err := s.newMCPRunner(f)
	if err != nil {
		return nil, err
	}
	apiCallRunner := apicall.New(apicall.Options{
		Network: network, MaxResponse: s.maxResponse, UserAgent: "jobwright/" + cli.Version(), Secrets: secretSet,
		StateDir: s.inFolder("api-calls"), Log: s.log,
	})
	a := &actions{mcp: mcpRunner, compose: composeRunner, Set: action.Set{
		mcpRunner.Type(),
		composeRunner.Type(),
		apiCallRunner.Type(),
	}}
	for _, maker := range s.more {
		made, err := maker.New(action.Host{Worker: f.worker, StateDir: s.inFolder("action-" + maker.Name), Metrics: s.metrics, Log: s.log})
		if err != nil {
			a.Close()
			return nil, fmt.Errorf("action %s: %w", maker.Name, err)
		}
		a.Set = append(a.Set, made)
	}
	return a, nil
}

func (s setup) newMCPRunner(f *folder) (*mcp.Runner, error) {
	config := &mcp.Config{}
	if s.mcpConfig != "" {
		var err error
		if config, err = mcpconfig.Load(s.mcpConfig); err != nil {
			return nil, fmt.Errorf("--mcp-config: %w; jobwright mcp check FILE says more", err)
		}
	}
	tokens, err := s.newTokens()
	if err != nil {
		return nil, err
	}
	return mcp.New(mcp.Options{
		Tokens: tokens,
		Config: config, MaxSessions: s.mcpSessions, MaxProcesses: s.mcpProcesses,
		StateDir: s.inFolder("mcp-tasks"), Worker: f.worker, Version: cli.Version(), Log: s.log, Registerer: s.metrics,
	})
}

// newNetwork returns the outbound network of api_call jobs and of deploys' health probes.
func (s setup) newNetwork() (*outbound.Network, error) {
	var hosts *outbound.Hosts
	if s.outbound != "" {
		var err error
		if hosts, err = outbound.Load(s.outbound); err != nil {
			return nil, err
		}
	}
	return outbound.New(outbound.Options{AllowPrivate: s.allowPrivate, Hosts: hosts}), nil
}

// warnOpenRoots logs which compose roots every workspace may use, when there are several
// workspaces.
func (s setup) warnOpenRoots(r *compose.Runner, objects store.Store) error {
	open := r.OpenRoots()
	if len(open) == 0 {
		return nil
	}
	page, err := objects.List(context.Background(), store.ListOptions{Kind: v1.KindWorkspace, Limit: 2})
	if err != nil {
		return err
	}
	if len(page.Items) > 1 {
		s.log.Info("there are several workspaces, and each may deploy what is below these compose roots; WORKSPACE=FOLDER gives a root to one", "roots", open)
	}
	return nil
}

// since returns a function that tells when a workspace was created. Older revisions belong
// to an earlier workspace of the same name.
func since(objects store.Store) func(workspace string) (time.Time, error) {
	return func(workspace string) (time.Time, error) {
		record, err := objects.Get(context.Background(), store.Key{Kind: v1.KindWorkspace, Name: workspace})
		if errors.Is(err, store.ErrNotFound) {
			return time.Time{}, revisions.ErrNoWorkspace
		}
		if err != nil {
			return time.Time{}, err
		}
		ws, err := record.Workspace()
		if err != nil {
			return time.Time{}, err
		}
		return ws.CreationTimestamp.Time, nil
	}
}

// sweepContainers removes the containers of MCP servers that a dead server left.
func (s setup) sweepContainers(ctx context.Context, mcpRunner *mcp.Runner) {
	n, err := mcpRunner.Sweep(ctx)
	switch {
	case err != nil:
		s.log.Error(err, "containers of a dead server may be left; looked for again before a job of theirs goes on")
	case n > 0:
		s.log.Info("removed containers of MCP servers that a dead server left behind", "containers", n)
	}
}
