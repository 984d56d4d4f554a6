package action

import "k8s.io/apimachinery/pkg/types"

// JobRef names one job for ever: UID tells it from another that had its name before.
type JobRef struct {
	Namespace, Name string
	UID             types.UID
}
