package outcome

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/display"
)

const (
	// maxChanges bounds how many changes of a preview a plan names.
	maxChanges = 1000
	// MaxDetail bounds how much of a call's arguments or of a preview's text a plan shows.
	MaxDetail = 2 << 10
)

// Said is the text of an answer.
func Said(reply *answer.Reply, tool string) string {
	var texts []string
	for _, content := range reply.Content {
		texts = append(texts, render(content))
	}
	if text := strings.TrimSpace(strings.Join(texts, "\n")); text != "" {
		return display.Short(text, display.MaxMessage)
	}
	return fmt.Sprintf("tool %s says nothing about it", tool)
}

// Previewed reads the structured answer of a preview: changes in the words of v1.Plan, or
// files with their change, and problems that the tool itself would fail for.
func Previewed(reply *answer.Reply) (changes []v1.PlanChange, problems []string) {
	var told struct {
		Changes []v1.PlanChange `json:"changes"`
		Files   []struct {
			Path   string `json:"path"`
			Status string `json:"status"`
			Bytes  *int64 `json:"bytes"`
		} `json:"files"`
		Problems []string `json:"problems"`
	}
	if json.Unmarshal(reply.Structured, &told) != nil {
		return nil, nil // some other shape, whose words are shown
	}
	for _, change := range told.Changes {
		if slices.Contains(planVerbs(), change.Verb) && change.Name != "" {
			change.Detail = display.Short(change.Detail, MaxDetail)
			changes = append(changes, change)
		}
	}
	for _, file := range told.Files {
		if file.Path == "" {
			continue
		}
		change := v1.PlanChange{Verb: fileVerb(file.Status), Kind: "file", Name: file.Path, Detail: file.Status}
		if file.Bytes != nil {
			change.Detail = strings.TrimPrefix(fmt.Sprintf("%s, %d bytes", file.Status, *file.Bytes), ", ")
		}
		changes = append(changes, change)
	}
	for _, problem := range told.Problems {
		problems = append(problems, display.Short(problem, display.MaxMessage))
	}
	return changes[:min(len(changes), maxChanges)], problems
}

func planVerbs() []v1.PlanVerb {
	return []v1.PlanVerb{v1.PlanCall, v1.PlanCreate, v1.PlanActionUpdate, v1.PlanRecreate, v1.PlanRemove, v1.PlanKeep}
}

// fileVerb is the change of a file, by the words that tools use.
func fileVerb(status string) v1.PlanVerb {
	switch strings.ToLower(status) {
	case "created", "create", "added", "new":
		return v1.PlanCreate
	case "unchanged", "kept", "skipped":
		return v1.PlanKeep
	case "removed", "deleted", "remove", "delete":
		return v1.PlanRemove
	}
	return v1.PlanActionUpdate
}
