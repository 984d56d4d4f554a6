package local

import (
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/print"
)

// NotYet marks a feature that this version does not have.
const NotYet = "not yet"

// SeedFeature is a feature of the job queue that Jobwright replaces, and its counterpart
// here. TestWhatHelpSeedSays checks each against the product.
type SeedFeature struct{ Name, Where string }

// SeedFeatures returns the features in the order of that queue's documentation.
func SeedFeatures() []SeedFeature {
	return []SeedFeature{
		{"server/temp/jobs.json", "--data-dir/jobs.json, a list of objects, and a journal; jobwright import FILE takes the old file over"},
		{"job types build, deploy, api_call", "the same; api_call with a url makes the call, without one it is a record"},
		{"statuses queued to canceled", "the same in /api/jobs; status.phase of the object"},
		{"worker in the process", "jobwright serve"},
		{"one job at a time", "--max-concurrent-jobs 1; unset: as many as there are processors, at least 2"},
		{"GET /api/jobs", "the same; ?limit=, ?offset= and ?continue= page it"},
		{"POST /api/jobs", "the same; Idempotency-Key makes it safe to repeat"},
		{"GET /api/jobs/:id", "the same"},
		{"POST /api/jobs/:id", "the same"},
		{"page /jobs", "the same; it follows changes instead of asking every 1.5 s"},
		{"cookie active_workspace", "the same; a workspace is made by its first POST"},
		{"MCP server tools/geo-builders-mcp", "any server of --mcp-config; bin/builders-mcp has the builders of the examples"},
		{"docker compose verbs", "the same and more, below a --compose-root"},
		{"creator (email, id)", "createdBy, taken from whoever has the operator's token"},
		{"no access to other workspaces", "another workspace's job is 404"},
		{"sign-in through Supabase", NotYet},
		{"library @/lib/jobs", NotYet},
		{"library @/lib/filedb", NotYet},
		{"curl at port 3000", "--listen 127.0.0.1:3000; unset: 8080"},
		{"worker not started", "GET /readyz and the page say so"},
		{"jobs.json not writable", "serve refuses to start; later GET /readyz and the page say so"},
		{"MCP server not built", "the job's message names the file and the command that builds it; jobwright mcp check FILE"},
		{"jobs stuck in running", "time limits of the job, jobwright explain-wait, jobwright cancel, jobwright retry"},
		{"limit job retention", NotYet},
		{"paginate the job list", "?limit=, ?offset=, ?continue="},
		{"archive logs", "logs are files beside the objects, --max-log-bytes each"},
		{"index jobs", "done: by workspace, phase and label"},
		{"priority queue", "spec.priority"},
		{"job dependencies", "spec.dependsOn"},
		{"retry logic", "spec.backoffLimit, spec.backoff, spec.failurePolicy; jobwright retry"},
		{"delayed jobs", "spec.startAfter"},
		{"recurring jobs", NotYet},
		{"webhooks", NotYet},
		{"job templates", NotYet},
		{"batch operations", `POST /api/jobs {"jobs": [{type, payload}, …]}, all or none`},
		{"job artifacts", "status.artifacts, what a build's tool returned"},
		{"queue in Postgres", NotYet},
		{"queue in Redis", NotYet},
		{"AWS SQS", NotYet},
		{"Google Cloud Tasks", NotYet},
		{"Vercel Cron", NotYet},
		{"dedicated worker", NotYet},
	}
}

// newSeed returns the help topic `jobwright help seed`.
func newSeed() *cobra.Command {
	var text strings.Builder
	text.WriteString("Jobwright takes the place of a job queue inside a web application: the same /api/jobs,\n" +
		"the same page /jobs. What that queue has, or had planned, is here:\n\n")
	t := print.NewTable(&text, "FEATURE", "HERE")
	for _, feature := range SeedFeatures() {
		t.Row(feature.Name, feature.Where)
	}
	_ = t.Flush() // a strings.Builder takes everything
	return &cobra.Command{Use: "seed", Short: "What a job queue inside a web application has, and where it is here", Long: strings.TrimRight(text.String(), "\n")}
}
