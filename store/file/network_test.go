package file_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"jobwright.dev/store/file"
	"jobwright.dev/store/vfs/vfstest"
)

// onNFS is a disk that says it lies on another machine.
type onNFS struct{ *vfstest.Disk }

func (onNFS) Network(string) (string, error) { return "nfs", nil }

func TestANetworkFilesystemIsWarnedOf(t *testing.T) {
	var told strings.Builder
	log := funcr.New(func(_, args string) { told.WriteString(args) }, funcr.Options{})
	s, err := file.Open(dataDir, file.Options{FS: onNFS{vfstest.NewDisk()}, Log: log, IdleDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if !strings.Contains(told.String(), "network filesystem") || !strings.Contains(told.String(), "nfs") {
		t.Errorf("told %q", told.String())
	}
}
