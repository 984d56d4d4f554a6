package print

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"jobwright.dev/api/strict"
)

// MarshalYAML encodes v as YAML and keeps every number exactly as v's JSON has it: an object
// that is read and applied again must not change. The YAML library converts numbers to
// float64. A number that the conversion would change is replaced by a unique word before
// encoding, and restored in the text.
func MarshalYAML(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	numbers := numberWords{prefix: "number-" + uuid.NewString() + "-"}
	text, err := strict.Marshal(numbers.replace(exactNumbers(plain)))
	if err != nil {
		return nil, err
	}
	return []byte(numbers.restore(string(text))), nil
}

// numberWords holds the replaced numbers in the order of their words.
type numberWords struct {
	prefix string
	texts  []string
}

func (n *numberWords) replace(value any) any {
	switch v := value.(type) {
	case json.Number:
		n.texts = append(n.texts, v.String())
		return fmt.Sprintf("%s%d.", n.prefix, len(n.texts)-1)
	case []any:
		for i := range v {
			v[i] = n.replace(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = n.replace(v[key])
		}
	}
	return value
}

func (n *numberWords) restore(text string) string {
	for i, number := range n.texts {
		text = strings.Replace(text, fmt.Sprintf("%s%d.", n.prefix, i), number, 1)
	}
	return text
}
