package cli

import (
	"fmt"
	"io"
	"os"
)

// maxFile bounds a file of settings or contexts: a thousand contexts have some 100 KB.
const maxFile = 1 << 20

// readFile reads a file that a person writes.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: has more than %d bytes", path, maxFile)
	}
	return data, nil
}
