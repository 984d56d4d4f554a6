package client

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
)

// FailureGroup is failed jobs that failed for the same reason with the same words.
type FailureGroup struct {
	Type    v1.JobType `json:"type"`
	Reason  string     `json:"reason"`
	Message string     `json:"message"`
	Count   int        `json:"count"`
	Last    time.Time  `json:"last"`
	Jobs    []string   `json:"jobs"`
}

// varying is what differs between two messages that mean the same: identifiers,
// addresses, times, sizes, numbers.
var varying = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{12,64}\b|\d+(?:[.:\-T]\d+)*Z?`)
})

// alike is the first line of a message without what varies.
func alike(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	return varying().ReplaceAllString(line, "…")
}

// GroupFailures groups failed jobs, the largest group first.
func GroupFailures(jobs []*v1.Job) []*FailureGroup {
	type id struct {
		jobType v1.JobType
		reason  string
		message string
	}
	groups := map[id]*FailureGroup{}
	var list []*FailureGroup
	for _, job := range jobs {
		key := id{job.Spec.Type, job.Status.Reason, alike(job.Status.Message)}
		g := groups[key]
		if g == nil {
			g = &FailureGroup{Type: key.jobType, Reason: key.reason, Message: key.message}
			groups[key] = g
			list = append(list, g)
		}
		g.Count++
		g.Jobs = append(g.Jobs, job.Name)
		if at := job.Status.CompletionTime; at != nil && at.After(g.Last) {
			g.Last = at.Time
		}
	}
	slices.SortStableFunc(list, func(a, b *FailureGroup) int {
		return cmp.Or(b.Count-a.Count, b.Last.Compare(a.Last), strings.Compare(a.Reason, b.Reason))
	})
	return list
}
