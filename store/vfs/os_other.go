//go:build unix && !linux

package vfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// reserve does nothing: the zeros that follow get the blocks.
func reserve(*os.File, int64) error { return nil }

func datasync(f *os.File) error { return f.Sync() }

// identity is a file's device and inode.
type identity struct{ device, inode uint64 }

func identityOf(f *os.File) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return identity{}, err
	}
	return identity{uint64(st.Dev), st.Ino}, nil
}

func identityAt(name string) (identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return identity{}, err
	}
	return identity{uint64(st.Dev), st.Ino}, nil
}
