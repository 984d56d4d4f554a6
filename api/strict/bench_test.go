package strict_test

import (
	"testing"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// BenchmarkObject decodes the body of a small job, as a server does for each create.
func BenchmarkObject(b *testing.B) {
	kind, _ := v1.KindByName(v1.KindJob)
	const inJSON = `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"job-1","labels":{"team":"web"}},"spec":{"type":"build","build":{"server":"builders","action":"apply_builder","id":"nextjs-api-route","variables":{"ROUTE_NAME":"health"}},"priority":5}}`
	const inYAML = `apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: job-1, labels: {team: web}}
spec:
  type: build
  build: {server: builders, action: apply_builder, id: nextjs-api-route, variables: {ROUTE_NAME: health}}
  priority: 5
`
	for name, text := range map[string]string{"JSON": inJSON, "YAML": inYAML} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := strict.YAML([]byte(text))
				if err == nil {
					err = d.DecodeObject(kind, kind.New())
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
