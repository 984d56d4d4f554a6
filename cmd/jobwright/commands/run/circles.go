package run

import (
	"slices"

	v1 "jobwright.dev/api/v1"
)

// jobKey names a job among those of all workspaces.
func jobKey(namespace, name string) string { return namespace + "/" + name }

// circles finds the jobs that wait for each other by dependsOn, which the server cannot know
// of jobs that it does not have yet. It returns the way around for the jobs of each circle
// that it comes to, at least one circle of those that have jobs in common.
func circles(jobs []*v1.Job) map[string]string {
	named := map[string]*v1.Job{}
	for _, job := range jobs {
		if job.Name != "" {
			named[jobKey(job.Namespace, job.Name)] = job
		}
	}
	found := map[string]string{}
	next := map[string]int{} // the dependency to follow next, of the jobs that were entered
	for _, job := range jobs {
		start := jobKey(job.Namespace, job.Name)
		if _, entered := next[start]; entered || named[start] == nil {
			continue
		}
		way := []string{start}
		place := map[string]int{start: 0} // of the jobs on the way
		next[start] = 0
		for len(way) > 0 {
			at := way[len(way)-1]
			depends := named[at].Spec.DependsOn
			if next[at] == len(depends) {
				way = way[:len(way)-1]
				delete(place, at)
				continue
			}
			to := jobKey(named[at].Namespace, depends[next[at]].Name)
			next[at]++
			if from, on := place[to]; on && to != at && found[at] == "" {
				around(found, named, way[from:])
			}
			if _, entered := next[to]; !entered && named[to] != nil {
				place[to] = len(way)
				way = append(way, to)
				next[to] = 0
			}
		}
	}
	return found
}

// around notes a circle for each of its jobs.
func around(found map[string]string, named map[string]*v1.Job, keys []string) {
	var names []string
	for _, key := range slices.Concat(keys, keys[:1]) {
		names = append(names, named[key].Name)
	}
	text := v1.DependencyWay(names)
	for _, key := range keys {
		if found[key] == "" {
			found[key] = text
		}
	}
}
