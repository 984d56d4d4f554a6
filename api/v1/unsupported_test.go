package v1

import (
	"strings"
	"testing"
)

// TestFieldsThatAreRefusedSaySo: the description of a field that this version refuses says
// that it does.
func TestFieldsThatAreRefusedSaySo(t *testing.T) {
	fields := map[string][]string{}
	for _, f := range unsupportedJobFields() {
		fields[ResourceJobs] = append(fields[ResourceJobs], f.field)
	}
	for _, f := range unsupportedWorkspaceFields() {
		fields[ResourceWorkspaces] = append(fields[ResourceWorkspaces], f.field)
	}
	for resource, names := range fields {
		spec := readSchema(t, resource)
		for _, name := range names {
			property := spec.Properties[name]
			if property == nil {
				t.Errorf("%s: the schema has no spec.%s", resource, name)
				continue
			}
			said := strings.Join(strings.Fields(property.Description), " ")
			if !strings.Contains(said, "does not support it yet and refuses it") {
				t.Errorf("%s: spec.%s is refused, and its description says: %s", resource, name, said)
			}
		}
	}
}
