package revisions

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"jobwright.dev/controller/action/secrets"
)

// viewer makes what readers get of a project's revisions: values of environment variables
// and the contents of configs and secrets are masked, and so is, wherever it stands, what the
// deploy read in private files. The first value of a variable is ***, the next other one
// *** (2): a change is seen, and nothing of the values.
type viewer struct {
	values map[string][]string // by service and variable, in the order in which they were met
}

// secretName is what a variable with a secret is called.
var secretName = regexp.MustCompile(`(?i)pass(wd|word|phrase)?($|_)|pwd|secret|token|credential|private|api_?key|access_?key|(^|_)key($|_)|(^|_)(dsn|auth)($|_)`)

// NamesSecret reports whether a variable is called as those with secrets are.
func NamesSecret(variable string) bool { return secretName.MatchString(variable) }

// composeFile is the compose file alone, as YAML, for readers.
func (v *viewer) composeFile(r *Revision) ([]byte, error) {
	text, err := json.Marshal(r.Document)
	if err != nil {
		return nil, err
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	private := slices.Clone(r.Private)
	for name := range Services(document) {
		service := Child(Services(document), name)
		environment := Child(service, "environment")
		for variable, value := range environment {
			if text, ok := value.(string); ok && NamesSecret(variable) && !strings.Contains(text, "${") {
				private = append(private, text)
			}
			environment[variable] = v.mask(name+" "+variable, value)
		}
	}
	for _, section := range []string{"configs", "secrets"} {
		for name := range Child(document, section) {
			definition := Child(Child(document, section), name)
			if content, ok := definition["content"]; ok {
				definition["content"] = v.mask(section+" "+name, content)
			}
		}
	}
	shown, _ := secrets.NewRedactor(private...).Value(document).(map[string]any)
	return yaml.Marshal(shown)
}

// mask stands for a value. What refers to the operator's secrets has no value of them and
// says which are meant; a variable without a value has nothing to hide.
func (v *viewer) mask(of string, value any) any {
	text, ok := value.(string)
	if value == nil || ok && (text == "" || strings.Contains(text, "${"+variablePrefix)) {
		return value
	}
	if !ok {
		text = fmt.Sprint(value)
	}
	n := slices.Index(v.values[of], text)
	if n < 0 {
		n = len(v.values[of])
		v.values[of] = append(v.values[of], text)
	}
	if n == 0 {
		return secrets.Mask
	}
	return fmt.Sprintf("%s (%d)", secrets.Mask, n+1)
}
