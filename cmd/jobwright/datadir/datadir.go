package datadir

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"jobwright.dev/store/filedb"
)

// WorkerIdentity is this data folder's worker: made once, kept beside the objects, so
// that the next server on the folder knows what the one before has left.
func WorkerIdentity(dataDir string) (string, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return remembered(filepath.Join(dataDir, "worker-id"), func() string { return host + "-" + uuid.NewString()[:8] })
}

// OperatorTokenFile is where in the data folder the operator's token stands: who may
// read the folder may have what is in it.
const OperatorTokenFile = "operator-token"

func OperatorToken(dataDir string) (string, error) {
	return remembered(filepath.Join(dataDir, OperatorTokenFile), rand.Text)
}

// remembered is what a file holds; it is made when it is missing.
func remembered(path string, fresh func() string) (string, error) {
	data, err := os.ReadFile(path)
	if known := strings.TrimSpace(string(data)); err == nil && known != "" {
		return known, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	text := fresh()
	// On disk before it is used: attempts bear the worker's name, and a server that has
	// lost it with a power cut would wait for their leases to expire.
	return text, filedb.WriteBytes(path, []byte(text+"\n"))
}
