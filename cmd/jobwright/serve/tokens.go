package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/oauth/vault"
)

// newTokens returns the store of the OAuth tokens of MCP servers: in the data folder if the
// operator has given a key, else in memory. Without a key it still knows which refresh tokens
// were replaced by what the folder has, and does not send those.
func (s setup) newTokens() (*oauth.Tokens, error) {
	var keys *vault.Keys
	if s.mcpTokenKey != "" {
		var err error
		if keys, err = s.tokenKeys(); err != nil {
			return nil, fmt.Errorf("--mcp-token-key-file: %w", err)
		}
	}
	kept, err := vault.Open(s.inFolder("mcp-oauth"), keys)
	if err != nil {
		return nil, err
	}
	return oauth.NewTokens(kept, s.log), nil
}

// tokenKeys reads the operator's keys. A key inside the data folder is refused: a copy of
// the folder would carry its own key.
func (s setup) tokenKeys() (*vault.Keys, error) {
	file, err := realPath(s.mcpTokenKey)
	if err != nil {
		return nil, err
	}
	folder, err := realPath(s.dataDir)
	if err != nil {
		return nil, err
	}
	within, err := filepath.Rel(folder, file)
	if err == nil && within != ".." && !strings.HasPrefix(within, ".."+string(filepath.Separator)) {
		return nil, fmt.Errorf("%s lies in --data-dir, whose tokens it encrypts: put it elsewhere", s.mcpTokenKey)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 {
		s.log.Info("every user of this machine may read the key of the MCP servers' OAuth tokens; chmod 600 keeps it to its owner", "file", s.mcpTokenKey)
	}
	return vault.LoadKeys(file)
}

// realPath returns the absolute path of an existing file, with symbolic links resolved.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}
