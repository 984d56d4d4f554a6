package catalog

import (
	"testing"

	v1 "jobwright.dev/api/v1"
)

func TestWhereAnArgumentStands(t *testing.T) {
	build := &v1.BuildAction{Arguments: map[string]v1.JSON{"x": {}}}
	for want, path := range map[string][]any{
		"spec.build.arguments":             nil,
		"spec.build.arguments.x[0].y":      {"x", 0, "y"},
		"spec.build.id":                    {"id"},
		"spec.build.variables.ROUTE_NAME":  {"variables", "ROUTE_NAME"},
		`spec.build.variables["a\"b"].c-d`: {"variables", `a"b`, "c-d"},
	} {
		if got := argumentPath(build, path); got != want {
			t.Errorf("%v: %s, want %s", path, got, want)
		}
	}
	build.Arguments["id"] = v1.JSON{}
	if got := argumentPath(build, []any{"id"}); got != "spec.build.arguments.id" {
		t.Errorf("an id among the arguments: %s", got)
	}
}
