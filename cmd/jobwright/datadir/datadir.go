package datadir

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"jobwright.dev/store/filedb"
	"jobwright.dev/store/vfs"
)

// workerFile holds the worker's name, a space, and the identity of its folder.
const workerFile = "worker-id"

// WorkerIdentity returns the name of this data folder's worker. The name is created once and
// stored in the folder, so that the next server recognizes the processes of the last one.
// It is bound to the folder: a copied folder gets a new name, because under the old one it
// would kill the original's processes as orphans; before is then the original's name. A
// name from an earlier version, which has no binding, is bound to the folder it is in.
func WorkerIdentity(dataDir string) (worker, before string, err error) {
	folder, err := vfs.Identity(dataDir)
	if err != nil {
		return "", "", err
	}
	path := filepath.Join(dataDir, workerFile)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", "", err
	}
	worker, bound, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	switch {
	case worker != "" && bound == folder:
		return worker, "", nil
	case worker == "" || bound != "":
		host, err := os.Hostname()
		if err != nil {
			host = "worker"
		}
		worker, before = host+"-"+uuid.NewString()[:8], worker
	}
	// Synced before its first use: attempts carry the worker's name. A server that lost the
	// name in a power cut would have to wait for their leases to expire.
	return worker, before, filedb.WriteBytes(path, []byte(worker+" "+folder+"\n"))
}

// OperatorTokenFile is the name of the token's file in the data folder. Read access to the
// folder is access to everything in it, so the token grants nothing more.
const OperatorTokenFile = "operator-token"

// OperatorToken returns the token in the file, and creates it if there is none.
func OperatorToken(dataDir string) (string, error) {
	path := filepath.Join(dataDir, OperatorTokenFile)
	data, err := os.ReadFile(path)
	if known := strings.TrimSpace(string(data)); err == nil && known != "" {
		return known, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	text := rand.Text()
	return text, filedb.WriteBytes(path, []byte(text+"\n"))
}

// RevisionsFolder is the name of the folder of compose projects' revisions in the data folder.
const RevisionsFolder = "revisions"
