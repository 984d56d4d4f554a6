package compose

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/revisions"
)

// sections are the parts of a compose file that its services refer to.
var sections = []string{"networks", "volumes", "secrets", "configs"}

// services are those of a compose file, each of which is a map.
func services(document map[string]any) map[string]any { return child(document, "services") }

func child(parent map[string]any, key string) map[string]any {
	m, _ := parent[key].(map[string]any)
	return m
}

// refer puts references in place of the marks that stood for secrets while compose
// rendered the file: secrets says which is meant, by the variable's name in the job.
// What the file's own secrets and configs take from the environment they take from the
// same variables.
func refer(document map[string]any, marks, secrets map[string]string) {
	var pairs []string
	for name, mark := range marks {
		pairs = append(pairs, mark, "${"+revisions.Variable(secrets[name])+"}")
	}
	eachText(document, strings.NewReplacer(pairs...).Replace)
	for _, section := range []string{"secrets", "configs"} {
		for _, definition := range child(document, section) {
			d, ok := definition.(map[string]any)
			if !ok {
				continue
			}
			name, _ := d["environment"].(string)
			if secret, ok := secrets[name]; ok {
				d["environment"] = revisions.Variable(secret)
			}
		}
	}
}

// pin makes a service start from the image that ran, and from nothing else.
func pin(service map[string]any, imageID string, replicas int) {
	service["image"] = imageID
	service["pull_policy"] = "never"
	delete(service, "build")
	delete(service, "profiles") // the revision is what was enabled
	deploy := child(service, "deploy")
	if _, ok := deploy["replicas"]; ok {
		deploy["replicas"] = replicas
		delete(service, "scale")
	} else if _, scaled := service["scale"]; scaled || replicas != 1 {
		service["scale"] = replicas
	}
}

// revise makes a revision of what compose rendered and what stands: the services that the
// deploy covered, as rendered, with the images that their containers run.
func revise(document map[string]any, containers []engineContainer, digests map[string]string) (map[string]any, []v1.RevisionService) {
	running := byService(containers)
	var list []v1.RevisionService
	for _, name := range slices.Sorted(maps.Keys(services(document))) {
		service := child(services(document), name)
		own := running[name]
		if len(own) == 0 || service == nil {
			delete(services(document), name) // nothing of it ran, so nothing of it is known good
			continue
		}
		image, _ := service["image"].(string)
		if image == "" {
			image = own[0].Config.Image // built, and named by compose
		}
		pin(service, own[0].Image, len(own))
		list = append(list, v1.RevisionService{
			Name: name, Image: image, ImageID: own[0].Image, Digest: digests[own[0].Image], ConfigHash: own[0].hash(), Replicas: len(own),
		})
	}
	prune(document)
	return document, list
}

// carry adds to a revision those services of an earlier one that the deploy did not cover
// and that are still there: a revision is the project as it runs.
func carry(to, from *revisions.Revision, covered []string, containers []engineContainer) {
	running := byService(containers)
	carried := false
	for _, service := range from.Services {
		if slices.Contains(covered, service.Name) || len(running[service.Name]) == 0 {
			continue
		}
		if _, ok := to.Service(service.Name); ok {
			continue
		}
		services(to.Document)[service.Name] = services(from.Document)[service.Name]
		to.Services = append(to.Services, service)
		carried = true
	}
	if !carried {
		return
	}
	slices.SortFunc(to.Services, func(a, b v1.RevisionService) int { return strings.Compare(a.Name, b.Name) })
	for _, section := range sections {
		merged := child(to.Document, section)
		for key, value := range child(from.Document, section) {
			if merged == nil {
				merged = map[string]any{}
				to.Document[section] = merged
			}
			if _, ok := merged[key]; !ok {
				merged[key] = value
			}
		}
	}
	for name, value := range from.Env {
		if _, ok := to.Env[name]; !ok {
			if to.Env == nil {
				to.Env = map[string]string{}
			}
			to.Env[name] = value
		}
	}
	prune(to.Document)
}

// prune takes away what depends on a service that is not there: compose refuses such a
// file.
func prune(document map[string]any) {
	all := services(document)
	for _, service := range all {
		s, ok := service.(map[string]any)
		if !ok {
			continue
		}
		depends := child(s, "depends_on")
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

// referredSecrets are those of the candidates that a document has a variable of.
func referredSecrets(document map[string]any, candidates []string) []string {
	text, err := json.Marshal(document)
	if err != nil {
		return candidates
	}
	var out []string
	for _, secret := range candidates {
		variable := revisions.Variable(secret)
		if strings.Contains(string(text), "${"+variable+"}") || strings.Contains(string(text), strconv.Quote(variable)) {
			out = append(out, secret)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// plainEnv are the job's plain variables that the file's secrets and configs name: all
// others stand in the rendered file with their values.
func plainEnv(document map[string]any, d *v1.DeployAction) map[string]string {
	var out map[string]string
	for _, section := range []string{"secrets", "configs"} {
		for _, definition := range child(document, section) {
			s, ok := definition.(map[string]any)
			if !ok {
				continue
			}
			for _, e := range d.Env {
				if s["environment"] == e.Name && e.ValueFrom == nil {
					if out == nil {
						out = map[string]string{}
					}
					out[e.Name] = e.Value
				}
			}
		}
	}
	return out
}

// marksFor are texts that stand for the job's secrets while compose renders the file; no
// file can have them by chance.
func marksFor(d *v1.DeployAction, random string) (marks, secrets map[string]string) {
	marks, secrets = map[string]string{}, map[string]string{}
	for i, e := range d.Env {
		if e.ValueFrom != nil {
			marks[e.Name], secrets[e.Name] = fmt.Sprintf("jobwright-%s-%d-", random, i), e.ValueFrom.SecretRef
		}
	}
	return marks, secrets
}
