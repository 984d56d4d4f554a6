package vault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobwright.dev/controller/action/mcp/oauth/vault"
)

const (
	oldKey = "an old key of forty-four characters, as it is"
	newKey = "a new key of forty-four characters, as it is."
)

// token is what the tests keep.
type token struct{ Refresh string }

func crm() vault.Binding {
	return vault.Binding{Server: "crm", Issuer: "https://login.example", TokenEndpoint: "https://login.example/token", Client: "jobwright"}
}

func keys(t *testing.T, lines ...string) *vault.Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := vault.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func open(t *testing.T, dir string, k *vault.Keys) *vault.Vault {
	t.Helper()
	v, err := vault.Open(dir, k)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// file is the one file of a folder.
func file(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	return filepath.Join(dir, entries[0].Name())
}

func TestWhatIsWrittenIsReadByItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	v := open(t, dir, keys(t, oldKey))
	if err := v.Read(crm(), new(token)); !errors.Is(err, vault.ErrNone) {
		t.Errorf("before the first write: %v", err)
	}
	for _, refresh := range []string{"hidden-1", "hidden-2"} {
		if err := v.Write(crm(), token{refresh}, ""); err != nil {
			t.Fatal(err)
		}
		var got token
		if err := open(t, dir, keys(t, oldKey)).Read(crm(), &got); err != nil || got.Refresh != refresh {
			t.Errorf("read %+v, %v", got, err)
		}
	}
	content, err := os.ReadFile(file(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("hidden")) || bytes.Contains(content, []byte(oldKey)) {
		t.Errorf("in the clear: %s", content)
	}
	for path, want := range map[string]os.FileMode{file(t, dir): 0o600, dir: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", filepath.Base(path), info.Mode().Perm(), want, err)
		}
	}
	for name, change := range map[string]func(b *vault.Binding){
		"another issuer":         func(b *vault.Binding) { b.Issuer = "https://evil.example" },
		"another token endpoint": func(b *vault.Binding) { b.TokenEndpoint = "https://evil.example/token" },
		"another client":         func(b *vault.Binding) { b.Client = "somebody" },
	} {
		b := crm()
		change(&b)
		if err := v.Read(b, new(token)); !errors.Is(err, vault.ErrAnother) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAReplacedRefreshTokenIsKnownWithoutAKey, to whoever has that token.
func TestAReplacedRefreshTokenIsKnownWithoutAKey(t *testing.T) {
	dir := t.TempDir()
	v, other := open(t, dir, keys(t, oldKey)), open(t, dir, keys(t, newKey))
	if other.UsedUp(crm(), "first") {
		t.Error("used up without a file")
	}
	if err := v.Write(crm(), token{"second"}, "first"); err != nil {
		t.Fatal(err)
	}
	wiki := crm()
	wiki.Server = "wiki"
	if !other.UsedUp(crm(), "first") || other.UsedUp(crm(), "second") || other.UsedUp(crm(), "") || other.UsedUp(wiki, "first") {
		t.Error("not told which refresh token is used up")
	}
	if content, err := os.ReadFile(file(t, dir)); err != nil || bytes.Contains(content, []byte("first")) {
		t.Errorf("in the clear: %s, %v", content, err)
	}
	if err := v.Write(crm(), token{"third"}, ""); err != nil || other.UsedUp(crm(), "first") || other.UsedUp(crm(), "") {
		t.Errorf("nothing is used up, %v", err)
	}
}

func TestAKeyIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, keys(t, oldKey)).Write(crm(), token{"one"}, ""); err != nil {
		t.Fatal(err)
	}
	both := open(t, dir, keys(t, "# 2026", newKey, "", oldKey))
	var got token
	if err := both.Read(crm(), &got); err != nil || got.Refresh != "one" {
		t.Fatalf("the old key: %+v, %v", got, err)
	}
	if err := both.Write(crm(), token{"two"}, ""); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, keys(t, newKey)).Read(crm(), &got); err != nil || got.Refresh != "two" {
		t.Errorf("the new key: %+v, %v", got, err)
	}
	if err := open(t, dir, keys(t, oldKey)).Read(crm(), &got); !errors.Is(err, vault.ErrKey) {
		t.Errorf("the old key alone: %v", err)
	}
}

// TestADamagedFileIsAnError changes a file in every way that a disk or a person may.
func TestADamagedFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, keys(t, oldKey))
	if err := v.Write(crm(), token{"hidden"}, ""); err != nil {
		t.Fatal(err)
	}
	path := file(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	member := func(name string, value any) func([]byte) []byte {
		return func(content []byte) []byte {
			members := map[string]any{}
			if err := json.Unmarshal(content, &members); err != nil {
				t.Fatal(err)
			}
			members[name] = value
			changed, err := json.Marshal(members)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
	}
	tests := map[string]struct {
		change func([]byte) []byte
		want   error
		says   string
	}{
		"an empty file":          {func([]byte) []byte { return nil }, vault.ErrDamaged, "unexpected end of JSON input"},
		"half a file":            {func(b []byte) []byte { return b[:len(b)/2] }, vault.ErrDamaged, "unexpected end of JSON input"},
		"no JSON":                {func([]byte) []byte { return []byte("\x00\x01") }, vault.ErrDamaged, "invalid character"},
		"a list":                 {func([]byte) []byte { return []byte("[]") }, vault.ErrDamaged, "cannot unmarshal"},
		"nothing in an object":   {func([]byte) []byte { return []byte("{}") }, vault.ErrDamaged, "its version is 0, and 1 is read"},
		"another version":        {member("version", 2), vault.ErrDamaged, "its version is 2, and 1 is read"},
		"a name of no key":       {member("key", "0011223344556677"), vault.ErrKey, "--mcp-token-key-file does not have"},
		"no salt":                {member("salt", ""), vault.ErrDamaged, "its salt has 0 bytes"},
		"another salt":           {member("salt", bytes.Repeat([]byte{1}, 32)), vault.ErrDamaged, "it was changed"},
		"nothing sealed":         {member("sealed", ""), vault.ErrDamaged, "it was changed"},
		"other bytes sealed":     {member("sealed", bytes.Repeat([]byte{1}, 100)), vault.ErrDamaged, "it was changed"},
		"sealed that is no text": {member("sealed", 1), vault.ErrDamaged, "cannot unmarshal"},
		"another issuer's name":  {member("issuer", "https://evil.example"), vault.ErrAnother, "another issuer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, tt.change(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			var got token
			err := v.Read(crm(), &got)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || got.Refresh != "" {
				t.Errorf("read %+v, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), dir) {
				t.Errorf("it names the folder: %v", err)
			}
			if err := v.Write(crm(), token{"again"}, ""); err != nil {
				t.Fatal(err)
			}
			if err := v.Read(crm(), &got); err != nil || got.Refresh != "again" {
				t.Errorf("after the next write: %+v, %v", got, err)
			}
		})
	}
	t.Run("every bit of what is sealed", func(t *testing.T) {
		var e struct {
			Sealed []byte `json:"sealed"`
		}
		if err := json.Unmarshal(whole, &e); err != nil {
			t.Fatal(err)
		}
		for i := range 8 * len(e.Sealed) {
			flipped := bytes.Clone(e.Sealed)
			flipped[i/8] ^= 1 << (i % 8)
			if err := os.WriteFile(path, member("sealed", flipped)(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := v.Read(crm(), new(token)); !errors.Is(err, vault.ErrDamaged) {
				t.Fatalf("bit %d: %v", i, err)
			}
		}
	})
}

// TestAFileOfAnotherServerIsNotRead copies the file of one server over that of another, as
// it is and with its name changed.
func TestAFileOfAnotherServerIsNotRead(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, keys(t, oldKey))
	if err := v.Write(crm(), token{"of crm"}, ""); err != nil {
		t.Fatal(err)
	}
	stolen, err := os.ReadFile(file(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file(t, dir)); err != nil {
		t.Fatal(err)
	}
	wiki := crm()
	wiki.Server = "wiki"
	if err := v.Write(wiki, token{"of wiki"}, ""); err != nil {
		t.Fatal(err)
	}
	path := file(t, dir)
	for name, content := range map[string][]byte{"as it is": stolen, "with its name changed": bytes.Replace(stolen, []byte(`"crm"`), []byte(`"wiki"`), 1)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var got token
		if err := v.Read(wiki, &got); !errors.Is(err, vault.ErrDamaged) || got.Refresh != "" {
			t.Errorf("%s: read %+v, %v", name, got, err)
		}
	}
}

func TestAKeyFileIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ content, says string }{
		"an empty file":          {"", "there is no key; make one with: openssl rand -base64 32"},
		"remarks alone":          {"# a remark\n\n", "there is no key"},
		"a short key":            {"# a remark\nhunter2\n", "line 2: the key has 7 characters, and at least 32 are required"},
		"bytes that are no text": {strings.Repeat("\xff", 32), "is not text"},
		"too many keys":          {strings.Repeat(oldKey+"\n", 11), "line 11: there are more than 10 keys"},
		"a large file":           {strings.Repeat("x", 70<<10), "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.LoadKeys(path)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := vault.LoadKeys(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	v := open(t, dir, keys(t, oldKey))
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := v.Write(crm(), token{"hidden"}, "")
	if err == nil || strings.Contains(err.Error(), dir) || !strings.HasPrefix(err.Error(), "keep a token: ") {
		t.Errorf("error %v", err)
	}
}
