package offline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
)

// TestAFileThatIsTooLargeIsNotRead takes a file of which nothing is on the disk.
func TestAFileThatIsTooLargeIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, seed.MaxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readOld(v1.Payloads(), path); err == nil || !strings.HasSuffix(err.Error(), "old.json: has more than 268435456 bytes: import it in parts") {
		t.Errorf("error %v", err)
	}
}
