package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jobwright.dev/store/filedb"
)

// Why there is no token to be had from a file.
var (
	// ErrNone: nothing is kept for the server.
	ErrNone = errors.New("no token is kept")
	// ErrAnother: what is kept belongs to another issuer, token endpoint or client. The
	// operator's file, or the server's metadata, has changed.
	ErrAnother = errors.New("the token that is kept belongs to another issuer, token endpoint or client")
	// ErrKey: none of the operator's keys opens the file.
	ErrKey = errors.New("the token that is kept was encrypted with a key that --mcp-token-key-file does not have")
	// ErrNoKey: the vault has no key at all. It tells what is kept, and keeps nothing.
	ErrNoKey = errors.New("the token that is kept is encrypted, and the server was started without --mcp-token-key-file")
	// ErrDamaged: the file is cut off, was changed, or is no file of this package.
	ErrDamaged = errors.New("the file of the token is damaged")
)

// Binding is whose token a file has.
type Binding struct {
	// Server is the name of the MCP server in the operator's file.
	Server string `json:"server"`
	// Issuer and TokenEndpoint are where the token comes from.
	Issuer        string `json:"issuer,omitempty"`
	TokenEndpoint string `json:"tokenEndpoint"`
	// Client is who Jobwright is to the issuer.
	Client string `json:"client"`
}

// Vault is a folder of tokens. Its methods may be called at once for different servers.
type Vault struct {
	dir  string
	keys *Keys // nil: there are none
}

// Open returns the vault in a folder, which is made by the first Write. Without keys nothing
// is read or written, and UsedUp still tells which refresh tokens were replaced.
func Open(dir string, keys *Keys) (*Vault, error) {
	if err := filedb.Sweep(dir); err != nil {
		return nil, fmt.Errorf("open the folder of the MCP servers' tokens: %w", err)
	}
	return &Vault{dir: dir, keys: keys}, nil
}

// path is the file of a server. The name of a server may have any character, so the file is
// called by its hash; the name stands in the file.
func (v *Vault) path(server string) string {
	sum := sha256.Sum256([]byte(server))
	return filepath.Join(v.dir, hex.EncodeToString(sum[:16])+".json")
}

// Read decodes the value that was written for b. The error is one of those above, or the
// system's, which may be another one the next time.
func (v *Vault) Read(b Binding, into any) error {
	file, err := v.file(b.Server)
	if err != nil {
		return err
	}
	if file.Version == version && file.Binding != b && file.Server == b.Server {
		return ErrAnother
	}
	if v.keys == nil {
		return ErrNoKey
	}
	content, err := file.open(b, v.keys)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%w: what it holds is no token", ErrDamaged)
	}
	return nil
}

// UsedUp reports whether the file for b says that it has a newer refresh token than this one,
// as far as that can be read without a key.
func (v *Vault) UsedUp(b Binding, refreshToken string) bool {
	file, err := v.file(b.Server)
	return err == nil && file.Binding == b && len(file.UsedUp) > 0 && bytes.Equal(file.UsedUp, file.digest(refreshToken))
}

// file is the file of a server as it is.
func (v *Vault) file(server string) (envelope, error) {
	path := v.path(server)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return envelope{}, ErrNone
	}
	file, err := filedb.ReadJSON(path, envelope{})
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return envelope{}, fmt.Errorf("read the token that is kept: %w", pathError.Err)
	}
	if err != nil {
		return envelope{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return file, nil
}

// Write keeps a value for b in place of what is kept for the server. It returns when the
// value is on the disk. usedUp is the refresh token that the value replaces; empty: none.
func (v *Vault) Write(b Binding, value any, usedUp string) error {
	if v.keys == nil {
		return ErrNoKey
	}
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	file, err := seal(b, content, usedUp, v.keys.keys[0])
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	err = filedb.WriteJSON(v.path(b.Server), file)
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err
	}
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	return nil
}
