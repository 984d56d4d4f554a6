package rollback

import (
	"context"
	"slices"
	"strings"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// release lets go of images that no revision has any more. One that cannot be let go of
// stays: that costs room and nothing else.
func (r Restorer) release(ctx context.Context, a action.Attempt, project string, dropped []*revisions.Revision) {
	if len(dropped) == 0 {
		return
	}
	_ = r.Revisions.DropFiles(project) // what stays costs room and nothing else
	needed := map[string]bool{}
	numbers, err := r.Revisions.Numbers(project)
	if err != nil {
		return
	}
	for _, n := range numbers {
		kept, err := r.Revisions.Get(project, n)
		if err != nil {
			return // it may need any of them
		}
		for _, id := range imageIDs(kept) {
			needed[id] = true
		}
	}
	for _, gone := range dropped {
		for _, id := range imageIDs(gone) {
			if !needed[id] {
				needed[id] = true // once is enough
				_ = r.Docker.Do(ctx, a.ID, "image", "rm", "--", HeldName(project, id))
			}
		}
	}
}

func imageIDs(r *revisions.Revision) []string {
	var ids []string
	for _, s := range r.Services {
		ids = append(ids, s.ImageID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// HeldName is the tag that keeps an image of a revision from docker image prune, once its
// own name has moved on. A tag has at most 128 characters.
func HeldName(project, id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return "jobwright-kept:" + project[:min(len(project), 80)] + "." + hex[:min(len(hex), 40)]
}
