package v1

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidateWorkspace(t *testing.T) {
	cases := map[string]struct {
		workspace Workspace
		want      []string
	}{
		"a name is enough": {
			workspace: Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}},
		},
		"a workspace lives in no workspace": {
			workspace: Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Namespace: "other"}},
			want:      []string{"metadata.namespace: Forbidden: not allowed on this type"},
		},
		"a name must fit as a namespace": {
			workspace: Workspace{ObjectMeta: metav1.ObjectMeta{Name: "a.b"}},
			want:      []string{`metadata.name: Invalid value: "a.b": must not contain dots`},
		},
		"a display name that is too long": {
			workspace: Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: WorkspaceSpec{DisplayName: strings.Repeat("ü", 254)}},
			want:      []string{"spec.displayName: Too long: may not be more than 253 characters"},
		},
		"limits out of range and members without names": {
			workspace: Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: WorkspaceSpec{
				Weight: new(int32(1001)), MaxRunning: new(int32(-1)), MaxQueued: new(int32(-1)),
				SuspendTypes: []JobType{"bild", JobTypeBuild, JobTypeBuild},
				Members:      []WorkspaceMember{{Role: RoleAdmin}, {Email: "a@b.c"}, {ID: "1", Role: "owner"}},
			}},
			want: []string{
				"spec.weight: Invalid value: 1001: must be between 1 and 1000",
				"spec.maxRunning: Invalid value: -1: must be at least 0",
				"spec.maxQueued: Invalid value: -1: must be at least 0",
				`spec.suspendTypes[0]: Unsupported value: "bild": supported values: "build", "deploy", "api_call"`,
				`spec.suspendTypes[2]: Duplicate value: "build"`,
				"spec.members[0]: Required value: set email or id",
				"spec.members[1].role: Required value: say what the member may do",
				`spec.members[2].role: Unsupported value: "owner": supported values: "viewer", "editor", "admin"`,
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := slices.DeleteFunc(messages(Payloads().validateWorkspace(&c.workspace)), func(s string) bool {
				return strings.HasSuffix(s, ": not supported yet")
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnsupportedWorkspaceFieldsAreRefused(t *testing.T) {
	full := &Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: WorkspaceSpec{
		Weight: new(int32(1)), MaxRunning: new(int32(1)), MaxQueued: new(int32(1)), Suspend: true,
		SuspendTypes: []JobType{JobTypeBuild}, Members: []WorkspaceMember{{ID: "1", Role: RoleViewer}},
	}}
	var want []string
	for _, f := range unsupportedWorkspaceFields() {
		want = append(want, "spec."+f.field+": Forbidden: not supported yet")
	}
	if diff := cmp.Diff(want, messages(Payloads().validateWorkspace(full))); diff != "" {
		t.Errorf("a workspace with every field (-want +got):\n%s", diff)
	}
}

func TestValidateWorkspaceUpdate(t *testing.T) {
	old := &Workspace{ObjectMeta: metav1.ObjectMeta{Name: "acme", UID: "u", ResourceVersion: "7", Generation: 1}}
	changed := old.DeepCopy()
	changed.Spec.DisplayName = "Acme"
	if errs := Payloads().validateWorkspaceUpdate(changed, old); errs != nil {
		t.Errorf("a new display name: %v", errs)
	}
	changed.Name, changed.Spec.DisplayName = "other", "a\x00"
	want := []string{
		`metadata.name: Invalid value: "other": field is immutable`,
		`spec.displayName: Invalid value: "a\x00": must not contain control characters`,
	}
	if diff := cmp.Diff(want, messages(Payloads().validateWorkspaceUpdate(changed, old))); diff != "" {
		t.Errorf("another name (-want +got):\n%s", diff)
	}
}
