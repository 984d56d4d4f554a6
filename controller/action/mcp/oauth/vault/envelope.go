package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

const (
	version  = 1
	saltSize = 32
	keySize  = 32 // AES-256
)

// envelope is a file.
type envelope struct {
	Version int `json:"version"`
	Binding
	// Key is the name of the key that sealed it.
	Key  string `json:"key"`
	Salt []byte `json:"salt"`
	// UsedUp is a digest of the refresh token that the sealed one has replaced, so that nobody
	// sends that one again who cannot open the file. Empty: none was replaced.
	UsedUp []byte `json:"usedUp,omitempty"`
	// Sealed is a nonce, the ciphertext and its tag.
	Sealed []byte `json:"sealed"`
}

// seal encrypts content for b.
func seal(b Binding, content []byte, usedUp string, k key) (envelope, error) {
	e := envelope{Version: version, Binding: b, Key: k.name, Salt: make([]byte, saltSize)}
	_, _ = rand.Read(e.Salt) // it returns no error, and ends the program if there is no randomness
	if usedUp != "" {
		e.UsedUp = e.digest(usedUp)
	}
	aead, err := k.cipher(e.Salt)
	if err != nil {
		return envelope{}, err
	}
	bound, err := e.clear()
	if err != nil {
		return envelope{}, err
	}
	e.Sealed = aead.Seal(nil, nil, content, bound)
	return e, nil
}

// open decrypts what was sealed for b.
func (e envelope) open(b Binding, keys *Keys) ([]byte, error) {
	switch {
	case e.Version != version:
		return nil, fmt.Errorf("%w: its version is %d, and %d is read", ErrDamaged, e.Version, version)
	case len(e.Salt) != saltSize:
		return nil, fmt.Errorf("%w: its salt has %d bytes, and must have %d", ErrDamaged, len(e.Salt), saltSize)
	}
	k, ok := keys.named(e.Key)
	if !ok {
		return nil, ErrKey
	}
	aead, err := k.cipher(e.Salt)
	if err != nil {
		return nil, err
	}
	e.Binding = b
	bound, err := e.clear()
	if err != nil {
		return nil, err
	}
	content, err := aead.Open(nil, nil, e.Sealed, bound)
	if err != nil {
		return nil, fmt.Errorf("%w: it was changed, or belongs to another server", ErrDamaged)
	}
	return content, nil
}

// digest is that of a refresh token, which nobody guesses: it is as long as a key.
func (e envelope) digest(refreshToken string) []byte {
	sum := sha256.New()
	sum.Write(e.Salt)
	sum.Write([]byte(refreshToken))
	return sum.Sum(nil)
}

// cipher is the cipher of one file, whose nonces are random and stand before the ciphertext.
func (k key) cipher(salt []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, k.secret, salt, "jobwright.dev/mcp-oauth/v1 AES-256-GCM", keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// clear is what the ciphertext is bound to: every member that is not sealed.
func (e envelope) clear() ([]byte, error) {
	e.Sealed = nil
	return json.Marshal(e)
}
