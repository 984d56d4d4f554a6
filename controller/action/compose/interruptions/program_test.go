package interruptions

import (
	"archive/tar"
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is what the containers of these tests run.
const program = `package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	seconds := 0
	if len(os.Args) > 2 {
		seconds, _ = strconv.Atoi(os.Args[2])
	}
	pause := time.Duration(seconds) * time.Second
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	switch os.Args[1] {
	case "fail":
		os.Exit(3)
	case "sleep": // seconds
		time.Sleep(pause)
	case "check":
		if _, err := os.Stat("/ready"); err != nil {
			os.Exit(1)
		}
	case "ready": // seconds: healthy after that
		time.Sleep(pause)
		if err := os.WriteFile("/ready", nil, 0o600); err != nil {
			panic(err)
		}
		<-stop
	case "drain": // seconds: so long it takes to stop
		<-stop
		time.Sleep(pause)
	default:
		<-stop
	}
}
`

// image is named by what is in it, so that another checkout's tests do not replace it.
var image = fmt.Sprintf("jobwright-interruptions-test:%08x", crc32.ChecksumIEEE([]byte(program)))

// built is what all cells share: the product and a layer with the program.
type built struct {
	dir   string
	layer []byte // a tar
}

var build = sync.OnceValues(func() (built, error) {
	dir, err := os.MkdirTemp("", "jwint-")
	if err != nil {
		return built{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		return built{}, err
	}
	for _, args := range [][]string{{"-o", filepath.Join(dir, "app"), filepath.Join(dir, "main.go")}, {"-o", filepath.Join(dir, "jobwright"), "jobwright.dev/cmd/jobwright"}} {
		cmd := exec.Command("go", append([]string{"build"}, args...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return built{}, fmt.Errorf("%w: %s", err, out)
		}
	}
	binary, err := os.ReadFile(filepath.Join(dir, "app"))
	if err != nil {
		return built{}, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return built{}, err
	}
	if _, err := w.Write(binary); err != nil {
		return built{}, err
	}
	return built{dir, archive.Bytes()}, w.Close()
})

// TestMain removes what the cells have shared.
func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := build(); err == nil && b.dir != "" {
		os.RemoveAll(b.dir)
	}
	os.Exit(code)
}
