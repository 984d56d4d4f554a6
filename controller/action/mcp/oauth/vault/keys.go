package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"jobwright.dev/store/filedb"
)

const (
	// minKey is the least length of a key: 32 hexadecimal digits are 128 random bits.
	minKey = 32
	// maxKeys bounds how many keys a file has. Two are enough to replace one.
	maxKeys = 10
	// maxKeyFile bounds the key file.
	maxKeyFile = 64 << 10
)

// Keys are the operator's keys. The first seals, and all of them open.
type Keys struct {
	keys []key
}

type key struct {
	name   string
	secret []byte
}

// howToMake is what a refusal of a key file says.
const howToMake = "make one with: openssl rand -base64 32"

// LoadKeys reads a key file: text with one key a line. Empty lines and lines that begin with #
// are skipped. The errors do not repeat what the file holds.
func LoadKeys(path string) (*Keys, error) {
	content, err := filedb.ReadText(path, maxKeyFile)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it must hold one key a line", err)
	case !utf8.Valid(content):
		return nil, fmt.Errorf("%s is not text: it must hold one key a line; %s", path, howToMake)
	}
	keys, err := parseKeys(string(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func parseKeys(text string) (*Keys, error) {
	keys := &Keys{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) < minKey {
			return nil, fmt.Errorf("line %d: the key has %d characters, and at least %d are required; %s", number, len(line), minKey, howToMake)
		}
		if len(keys.keys) == maxKeys {
			return nil, fmt.Errorf("line %d: there are more than %d keys", number, maxKeys)
		}
		k, err := newKey([]byte(line))
		if err != nil {
			return nil, err
		}
		keys.keys = append(keys.keys, k)
	}
	if len(keys.keys) == 0 {
		return nil, errors.New("there is no key; " + howToMake)
	}
	return keys, nil
}

// newKey derives the name of a key, which tells nothing of the key itself.
func newKey(secret []byte) (key, error) {
	const nameLength = 8
	name, err := hkdf.Key(sha256.New, secret, nil, "jobwright.dev/mcp-oauth/v1 name of the key", nameLength)
	return key{name: hex.EncodeToString(name), secret: secret}, err
}

// named is the key of a name.
func (k *Keys) named(name string) (key, bool) {
	for _, one := range k.keys {
		if one.name == name {
			return one, true
		}
	}
	return key{}, false
}
