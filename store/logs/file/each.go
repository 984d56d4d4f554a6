package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/logs"
)

// batch is how many names of a folder are read at once: a folder of a million logs costs no
// memory.
const batch = 1000

// Each implements logs.Store. A file that is not named as a log is passed over.
func (a *Archive) Each(ctx context.Context, visit func(logs.Ref) error) error {
	if err := a.ready(); err != nil {
		return err
	}
	return a.names(".", func(workspace os.DirEntry) error {
		if !workspace.IsDir() {
			return nil
		}
		return a.names(workspace.Name(), func(file os.DirEntry) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if ref, ok := refOf(workspace.Name(), file.Name()); ok {
				return visit(ref)
			}
			return nil
		})
	})
}

// names visits the names in a folder, which may change meanwhile.
func (a *Archive) names(folder string, visit func(os.DirEntry) error) error {
	dir, err := a.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the logs in %s: %w", folder, err)
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(batch)
		for _, entry := range entries {
			if err := visit(entry); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) { // the folder went with its last log
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the logs in %s: %w", folder, err)
		}
	}
}

// refOf is the log that a file in a workspace's folder is.
func refOf(workspace, file string) (logs.Ref, bool) {
	const uid = len("00000000-0000-0000-0000-000000000000")
	name, isLog := strings.CutSuffix(file, ".log")
	at := len(name) - uid - 1
	if !isLog || at < 1 || name[at] != '-' || uuid.Validate(name[at+1:]) != nil {
		return logs.Ref{}, false
	}
	return logs.Ref{Workspace: workspace, Job: name[:at], UID: types.UID(name[at+1:])}, true
}
