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

// runners are a Runner for each type of job. The one of builds is named beside: its
// sessions are closed at the end, and its configuration is read again.
type runners struct {
	byType map[v1.JobType]action.Runner
	mcp    *mcp.Runner
}

// newRunners reads the operator's files and makes the Runners.
func (s setup) newRunners(f *folder) (*runners, error) {
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
	mcpRunner, err := s.newMCPRunner(f)
	if err != nil {
		return nil, err
	}
	return &runners{mcp: mcpRunner, byType: map[v1.JobType]action.Runner{
		v1.JobTypeBuild:  mcpRunner,
		v1.JobTypeDeploy: composeRunner,
		v1.JobTypeAPICall: apicall.New(apicall.Options{
			Network: network, MaxResponse: s.maxResponse, UserAgent: "jobwright/" + cli.Version(), Secrets: secretSet,
			StateDir: s.inFolder("api-calls"), Log: s.log,
		}),
	}}, nil
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

// newNetwork is how api_call jobs and the health probes of deploys leave the server.
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

// since tells when a workspace was created: revisions that are older belong to another one
// that had its name.
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

// Plan implements server.Planner: it asks the Runner of a job's type what the job would do.
func (r *runners) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	if planner, ok := r.byType[job.Spec.Type].(action.Planner); ok {
		return planner.Plan(ctx, job)
	}
	return nil, fmt.Errorf("jobs of type %s cannot tell what they would do", job.Spec.Type)
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
