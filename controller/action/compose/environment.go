package compose

import (
	"encoding/json"
	"fmt"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/secrets"
)

// checkSecrets says which of the job's references cannot be used, by field.
func (r *Runner) checkSecrets(job *v1.Job) error {
	for i, e := range job.Spec.Deploy.Env {
		if e.ValueFrom == nil {
			continue
		}
		if _, err := r.secrets.Lookup(job.Namespace, e.ValueFrom.SecretRef); err != nil {
			return fmt.Errorf("spec.deploy.env[%d].valueFrom.secretRef: %w", i, err)
		}
	}
	return nil
}

// variables are what the job adds to compose's environment, as NAME=VALUE. A secret that
// cannot be read is left out; checkSecrets has said so before anything was started. `config`
// prints what it is given, so it gets no secret.
func (r *Runner) variables(job *v1.Job) []string {
	d := job.Spec.Deploy
	if d == nil {
		return nil
	}
	return variables(d, func(secret string) (string, error) {
		if d.Verb == v1.DeployConfig {
			return secrets.Mask, nil
		}
		return r.secrets.Lookup(job.Namespace, secret)
	})
}

func variables(d *v1.DeployAction, value func(secret string) (string, error)) []string {
	var out []string
	for _, e := range d.Env {
		if e.ValueFrom == nil {
			out = append(out, e.Name+"="+e.Value)
		} else if v, err := value(e.ValueFrom.SecretRef); err == nil {
			out = append(out, e.Name+"="+v)
		}
	}
	return out
}

// ownWords are the texts that the job's author has written, whole and in the pieces that
// messages show of them.
func ownWords(job *v1.Job) []string {
	words := []string{job.Name, job.Namespace}
	encoded, err := v1.NewJSON(job.Spec)
	var spec any
	if err == nil {
		err = json.Unmarshal(encoded.Raw, &spec)
	}
	if err != nil {
		return words // of a spec that was decoded from JSON: it cannot be
	}
	eachWord(spec, func(text string) {
		words = append(words, text)
		if pieces := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("/=,:; ", c) }); len(pieces) > 1 {
			words = append(words, pieces...)
		}
	})
	return words
}

// eachWord visits the texts in a value, the names of members among them.
func eachWord(value any, visit func(string)) {
	switch v := value.(type) {
	case string:
		visit(v)
	case []any:
		for i := range v {
			eachWord(v[i], visit)
		}
	case map[string]any:
		for key := range v {
			visit(key)
			eachWord(v[key], visit)
		}
	}
}

// eachText is value with every text in it changed; keys stay.
func eachText(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		return change(v)
	case []any:
		for i := range v {
			v[i] = eachText(v[i], change)
		}
	case map[string]any:
		for key := range v {
			v[key] = eachText(v[key], change)
		}
	}
	return value
}
