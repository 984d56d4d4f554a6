package filedb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// patience is how long ReadText waits for whoever writes into a pipe.
const patience = 30 * time.Second

// ReadText reads a file of an operator, of at most most bytes. The file may be a pipe, as
// a shell's <(command) is: a pipe that nobody writes into reads as empty, and a writer that
// keeps silent for 30 s is an error. A program that starts cannot hang on its own settings.
func ReadText(path string, most int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// Regular files have no deadlines, and never wait.
	if err := file.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return content, nil
}
