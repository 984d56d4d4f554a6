package engine

import (
	"context"
	"encoding/json"
	"io"
	"strings"
)

// Digests are the names in their registries of images, by ID. An image that was built here
// has none.
func (d Docker) Digests(ctx context.Context, attempt string, ids []string) (map[string]string, error) {
	var images []struct {
		ID          string `json:"Id"`
		RepoDigests []string
	}
	err := d.Ask(ctx, attempt, func(stdout io.Reader) error { return json.NewDecoder(stdout).Decode(&images) },
		append([]string{"image", "inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, image := range images {
		if len(image.RepoDigests) > 0 {
			out[image.ID] = image.RepoDigests[0]
		}
	}
	return out, nil
}

// ImageID is the ID of the image that has that name; empty: the engine has none.
func (d Docker) ImageID(ctx context.Context, attempt, name string) (string, error) {
	ids, err := d.Lines(ctx, attempt, "image", "inspect", "--format={{.Id}}", "--", name)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

// ShortID is an image's ID as docker shows it.
func ShortID(id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return hex[:min(len(hex), 12)]
}
