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

// workerFile names the worker, and behind a space the folder that it is the worker of.
const workerFile = "worker-id"

// WorkerIdentity is this data folder's worker: made once, kept beside the objects, so
// that the next server on the folder knows what the one before has left. It is bound to
// the folder itself: a copy has a worker of its own, or it would end the processes of the
// original as left behind; before is then the original's. A name that an earlier version
// has written is bound where it is found.
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
	// On disk before it is used: attempts bear the worker's name, and a server that has
	// lost it with a power cut would wait for their leases to expire.
	return worker, before, filedb.WriteBytes(path, []byte(worker+" "+folder+"\n"))
}

// OperatorTokenFile is where in the data folder the operator's token stands: who may
// read the folder may have what is in it.
const OperatorTokenFile = "operator-token"

// OperatorToken is the token that the file holds; it is made when it is missing.
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
