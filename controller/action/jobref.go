package action

import "k8s.io/apimachinery/pkg/types"

// JobRef identifies one job. The UID distinguishes it from earlier jobs of the same name.
type JobRef struct {
	Namespace, Name string
	UID             types.UID
}
