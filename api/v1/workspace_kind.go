package v1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func workspaceKind(payloads PayloadSet) Kind {
	return DefineKind(Kind{
		Name: KindWorkspace, Resource: ResourceWorkspaces, Singular: "workspace", ShortNames: []string{"ws"},
	}, Strategy[*Workspace]{
		New: func() *Workspace {
			return &Workspace{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: KindWorkspace}}
		},
		Validate:       payloads.validateWorkspace,
		ValidateUpdate: payloads.validateWorkspaceUpdate,
		Columns: []ColumnOf[*Workspace]{
			{Name: "DISPLAY-NAME", Value: func(w *Workspace, _ time.Time) any { return w.Spec.DisplayName }},
		},
	})
}
