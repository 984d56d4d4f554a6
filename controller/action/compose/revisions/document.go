package revisions

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
)

// sections are the parts of a compose file that its services refer to.
var sections = []string{"networks", "volumes", "secrets", "configs"}

// Services are those of a rendered compose file, each of which is a map.
func Services(document map[string]any) map[string]any { return Child(document, "services") }

// Child is a member of parent that is a map; nil: there is none.
func Child(parent map[string]any, key string) map[string]any {
	m, _ := parent[key].(map[string]any)
	return m
}

// pin makes a service start from the image that ran, and from nothing else.
func pin(service map[string]any, imageID string, replicas int) {
	service["image"] = imageID
	service["pull_policy"] = "never"
	delete(service, "build")
	delete(service, "profiles") // the revision is what was enabled
	deploy := Child(service, "deploy")
	if _, ok := deploy["replicas"]; ok {
		deploy["replicas"] = replicas
		delete(service, "scale")
	} else if _, scaled := service["scale"]; scaled || replicas != 1 {
		service["scale"] = replicas
	}
}

// Revise makes a revision of what compose rendered and what stands: the services that the
// deploy covered, as rendered, with the images that their containers run.
func Revise(document map[string]any, containers []engine.Container, digests map[string]string) (map[string]any, []v1.RevisionService) {
	running := engine.ByService(containers)
	var list []v1.RevisionService
	for _, name := range slices.Sorted(maps.Keys(Services(document))) {
		service := Child(Services(document), name)
		own := running[name]
		if len(own) == 0 || service == nil {
			delete(Services(document), name) // nothing of it ran, so nothing of it is known good
			continue
		}
		image, _ := service["image"].(string)
		if image == "" {
			image = own[0].Image // built, and named by compose
		}
		pin(service, own[0].ImageID, len(own))
		list = append(list, v1.RevisionService{
			Name: name, Image: image, ImageID: own[0].ImageID, Digest: digests[own[0].ImageID], ConfigHash: own[0].ConfigHash, Replicas: len(own), State: stateOf(own),
		})
	}
	Prune(document)
	return document, list
}

// stateOf is how the containers of one service stand.
func stateOf(containers []engine.Container) v1.RevisionState {
	if slices.ContainsFunc(containers, func(c engine.Container) bool { return c.Status != "exited" }) {
		return v1.RevisionRunning
	}
	return v1.RevisionCompleted
}

// Carry adds to a revision those services of an earlier one that the deploy did not cover
// and that are still there: a revision is the project as it runs.
func Carry(to, from *Revision, covered []string, containers []engine.Container) {
	running := engine.ByService(containers)
	carried := false
	for _, service := range from.Services {
		if slices.Contains(covered, service.Name) || len(running[service.Name]) == 0 {
			continue
		}
		if _, ok := to.Service(service.Name); ok {
			continue
		}
		Services(to.Document)[service.Name] = Services(from.Document)[service.Name]
		to.Services = append(to.Services, service)
		carried = true
	}
	if !carried {
		return
	}
	slices.SortFunc(to.Services, func(a, b v1.RevisionService) int { return strings.Compare(a.Name, b.Name) })
	for _, section := range sections {
		merged := Child(to.Document, section)
		for key, value := range Child(from.Document, section) {
			if merged == nil {
				merged = map[string]any{}
				to.Document[section] = merged
			}
			if _, ok := merged[key]; !ok {
				merged[key] = value
			}
		}
	}
	for _, f := range from.Files {
		if !slices.ContainsFunc(to.Files, func(own File) bool { return own.Path == f.Path }) {
			to.Files = append(to.Files, f)
		}
	}
	to.Private = append(slices.Clone(to.Private), from.Private...)
	slices.Sort(to.Private)
	to.Private = slices.Compact(to.Private)
	for name, value := range from.Env {
		if _, ok := to.Env[name]; !ok {
			if to.Env == nil {
				to.Env = map[string]string{}
			}
			to.Env[name] = value
		}
	}
	Prune(to.Document)
}

// Prune takes away what depends on a service that is not there: compose refuses such a
// file.
func Prune(document map[string]any) {
	all := Services(document)
	for _, service := range all {
		s, ok := service.(map[string]any)
		if !ok {
			continue
		}
		depends := Child(s, "depends_on")
		for name := range depends {
			if _, ok := all[name]; !ok {
				delete(depends, name)
			}
		}
		if depends != nil && len(depends) == 0 {
			delete(s, "depends_on")
		}
	}
}

// ReferredSecrets are those of the candidates that a document has a variable of.
func ReferredSecrets(document map[string]any, candidates []string) []string {
	text, err := json.Marshal(document)
	if err != nil {
		return candidates
	}
	var out []string
	for _, secret := range candidates {
		variable := Variable(secret)
		if strings.Contains(string(text), "${"+variable+"}") || strings.Contains(string(text), strconv.Quote(variable)) {
			out = append(out, secret)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
