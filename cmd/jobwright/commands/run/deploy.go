package run

import (
	"strings"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

func newRunDeploy(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var deploy v1.DeployAction
	var verbs, paths, plain, secret []string
	var rollback bool
	for _, verb := range v1.DeployVerbs() {
		verbs = append(verbs, string(verb))
	}
	command := &cobra.Command{
		Use: "deploy VERB", Short: "Run docker compose", Args: cobra.ExactArgs(1), ValidArgs: verbs,
		Long: "Verbs: " + strings.Join(verbs, ", ") + ".",
		Example: `  jobwright run deploy up --compose-path app/compose.yml --extra-arg --force-recreate
  jobwright run deploy up --compose-path app/compose.yml --compose-path app/prod.yml
  jobwright run deploy up --compose-path app/compose.yml --rollback-on-failure --env TAG=v2 --secret-env DB_PASSWORD=db-password`,
		RunE: func(cmd *cobra.Command, args []string) error {
			deploy.Verb = v1.DeployVerb(args[0])
			if rollback {
				deploy.Rollback = v1.RollbackOnFailure
			}
			if len(paths) > 1 {
				deploy.ComposePaths = paths
			} else if len(paths) == 1 {
				deploy.ComposePath = paths[0]
			}
			var err error
			if deploy.Env, err = deployEnv(plain, secret); err != nil {
				return err
			}
			return runJob(cmd.Context(), c, o, v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &deploy})
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&paths, "compose-path", nil, "compose file below one of the server's --compose-root folders; may be repeated, later files override earlier ones")
	flags.StringVar(&deploy.ProjectName, "project-name", "", "compose project")
	flags.StringSliceVar(&deploy.Services, "service", nil, "only these services")
	flags.StringSliceVar(&deploy.Profiles, "profile", nil, "compose profiles to enable")
	flags.StringArrayVar(&deploy.ExtraArgs, "extra-arg", nil, "a further flag of the verb, from its allow-list")
	flags.StringArrayVar(&plain, "env", nil, "NAME=VALUE for the compose file; stored with the job")
	flags.StringArrayVar(&secret, "secret-env", nil, "NAME=SECRET for the compose file, a secret of the server's --secrets file")
	flags.BoolVar(&rollback, "rollback-on-failure", false, "if up fails, restore the last good revision of the project")
	o.bind(command)
	return command
}

// deployEnv parses NAME=VALUE and NAME=SECRET flags.
func deployEnv(plain, secret []string) ([]v1.DeployEnv, error) {
	var env []v1.DeployEnv
	for _, text := range plain {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--env %q: use NAME=VALUE", text)
		}
		env = append(env, v1.DeployEnv{Name: name, Value: value})
	}
	for _, text := range secret {
		name, ref, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--secret-env: use NAME=SECRET, the name of a secret of the server's file")
		}
		env = append(env, v1.DeployEnv{Name: name, ValueFrom: &v1.ValueSource{SecretRef: ref}})
	}
	return env, nil
}
