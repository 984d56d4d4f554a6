package client

import (
	v1 "jobwright.dev/api/v1"
)

// RollbackTarget is the number of the revision that undoes a deploy: list are the
// revisions of its project, the newest first, and job is the deploy; nil: the newest. A
// deploy that succeeded is undone to the revision before its own; after one that failed,
// the newest revision comes back. 0: there is none that is whole.
func RollbackTarget(list []v1.Revision, job *v1.Job) int64 {
	if len(list) == 0 {
		return 0
	}
	below := list[0].Number
	if job != nil {
		_, number := Deployed(job)
		switch {
		case job.Status.Phase != v1.JobSucceeded:
			below++
		case number > 0:
			below = number
		}
	}
	for _, r := range list {
		if r.Number < below && r.Damaged == "" {
			return r.Number
		}
	}
	return 0
}

// Deployed is what a deploy's result says: its project, and the revision it has made; 0:
// none.
func Deployed(job *v1.Job) (project string, revision int64) {
	project = job.Spec.Deploy.ProjectName
	if job.Status.Result == nil {
		return project, 0
	}
	value, err := job.Status.Result.Value()
	if err != nil {
		return project, 0
	}
	result, _ := value.(map[string]any)
	if name, ok := result["project"].(string); ok {
		project = name
	}
	if n, ok := result["revision"].(float64); ok {
		revision = int64(n)
	}
	return project, revision
}
