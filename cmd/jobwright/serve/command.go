package serve

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
)

// Command returns the command serve, for a server with more actions than it always has.
func Command(c *cli.Invocation, more ...action.Maker) *cobra.Command {
	o := options{logFormat: "text"}
	var config string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: API, page and controller",
		Long:  serveHelp,
		Example: `  jobwright serve
  jobwright serve --data-dir /var/lib/jobwright --mcp-config mcp.json --compose-root /srv/apps
  jobwright serve --compose-root /srv/apps --secrets /etc/jobwright/secrets.yaml --max-revisions 20
  jobwright serve --listen 127.0.0.1:0 --max-concurrent-jobs 8 --log-format json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.BindEnv(cmd.Flags()); err != nil {
				return err
			}
			if err := cli.BindFile(cmd.Flags(), config); err != nil {
				return err
			}
			return run(cmd.Context(), o, c.Streams, c.Kinds, more)
		},
	}
	o.bind(command.Flags())
	cli.Choice(command, &o.logFormat, "log-format", "", "text or json", "text", "json")
	command.Flags().StringVar(&config, "config", "", "YAML file with values for these flags")
	return command
}

const serveHelp = `Serve runs the API, the page at /jobs and the controller, with its objects in
--data-dir: jobs.json, the journal that holds what is newer, the jobs' logs and events.

There is no authentication yet. The server therefore listens on loopback addresses only,
and checks the headers Host and Origin.

Each flag may also be set by an environment variable (--data-dir: JOBWRIGHT_DATA_DIR) or
in a YAML file given with --config (data-dir: …); a flag beats the environment, the
environment the file.

--secrets and --outbound name YAML files:

  db-password: {file: /run/secrets/db, workspaces: [acme]}      # or env: NAME, value: TEXT
  pay-token:   {env: PAY_TOKEN, hosts: [pay.example.com]}       # sent there only

  pay.example.com:  {certFile: client.pem, keyFile: client.key} # by the most exact host:
  "*.corp.example": {caFile: corp.pem, allowPrivate: true}      # host:port, host, *.domain, *
  "*": {proxy: "http://proxy:3128", proxyAuth: {file: login}}   # or {env: NAME}; user:password

--mcp-token-key-file names a text file with one key a line (openssl rand -base64 32). The
OAuth tokens of MCP servers are kept in --data-dir, encrypted with the first key; the others
only decrypt, so a new key is written above the old one. Without the flag tokens are kept in
memory only. An authorization server that replaces refresh tokens with each use then takes
the one in --mcp-config only once: a restart needs a new one there. A refresh token that was
replaced by an encrypted one in --data-dir is not sent, whether the key is given or not.

SIGHUP reads --mcp-config again. Running builds finish with the server that they call;
later ones use the new configuration. A file that cannot be read changes nothing. A server
in it that cannot be used is marked as broken; the others are not affected. Without
--mcp-config the signal does nothing.`
