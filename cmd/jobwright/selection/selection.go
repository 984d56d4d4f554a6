package selection

import (
	"context"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// Select returns the keys of the objects given by names or by a label selector, not both.
func Select(c *cli.Invocation, cmd *cobra.Command, server *client.Client, args []string, selector string) ([]client.Key, error) {
	if selector == "" {
		return Keys(c, args)
	}
	kind, _ := v1.KindByName(v1.KindJob)
	if len(args) == 1 {
		var err error
		if kind, err = Kind(c, args[0]); err != nil {
			return nil, err
		}
	} else if len(args) > 1 {
		return nil, cli.Usagef("name objects or give a selector, not both")
	}
	key := client.Key{Kind: kind}
	if kind.Namespaced {
		key.Namespace = c.Workspace
	}
	list, err := List(cmd.Context(), server, kind, client.ListOptions{Namespace: key.Namespace, LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var keys []client.Key
	for _, obj := range list.Items {
		key.Name = obj.GetName()
		keys = append(keys, key)
	}
	return keys, nil
}

// Job connects to the server and returns the key of the one job that a command names.
func Job(c *cli.Invocation, arg string) (*client.Client, client.Key, error) {
	server, err := c.Connect()
	if err != nil {
		return nil, client.Key{}, err
	}
	keys, err := Keys(c, []string{arg})
	if err != nil {
		return nil, client.Key{}, err
	}
	if keys[0].Kind.Name != v1.KindJob {
		return nil, client.Key{}, cli.Usagef("%s: name a job", arg)
	}
	return server, keys[0], nil
}

// List lists all objects of a kind. A workspace that does not exist is an error: an empty list
// would tell a script that there is nothing to do.
func List(ctx context.Context, server *client.Client, kind v1.Kind, opts client.ListOptions) (client.List, error) {
	list, err := server.ListAll(ctx, kind, opts)
	if err == nil && len(list.Items) == 0 {
		err = WorkspaceExists(ctx, server, opts.Namespace)
	}
	return list, err
}

// WorkspaceExists returns an error if the workspace does not exist; an empty name stands for
// all workspaces. The default workspace always counts as existing: a server on a full disk
// starts before it can create it.
func WorkspaceExists(ctx context.Context, server *client.Client, name string) error {
	if name == "" || name == v1.DefaultWorkspace {
		return nil
	}
	kind, _ := v1.KindByName(v1.KindWorkspace)
	_, err := server.Get(ctx, client.Key{Kind: kind, Name: name})
	return err
}
