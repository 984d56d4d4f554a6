package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkCreateOverHTTP is a durable create through POST /api/jobs, by clients on the
// same two cores: each has one connection, over which it writes the same request again
// and again and reads no more of the answer than it must, so that what is measured is
// the server.
//
// Two cores of an AMD EPYC (one fdatasync 0.1 ms), go1.26, with a processor to spare as
// jobwright serve has (-cpu 3): 4,600/s to 4,900/s with one client, 34,000/s to 39,000/s
// with 64.
func BenchmarkCreateOverHTTP(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			f := newFixture(b)
			address := strings.TrimPrefix(f.url, "http://")
			const body = `{"type":"api_call","payload":{"n":1}}`
			request := fmt.Appendf(nil, "POST /api/jobs HTTP/1.1\r\nHost: %s\r\nCookie: active_workspace=acme\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				address, len(body), body)
			var left atomic.Int64
			left.Store(int64(b.N))
			failed := make(chan error, clients)
			b.ResetTimer()
			for range clients {
				go func() {
					var dialer net.Dialer
					conn, err := dialer.DialContext(b.Context(), "tcp", address)
					if err != nil {
						failed <- err
						return
					}
					defer conn.Close()
					answers := bufio.NewReader(conn)
					for err == nil && left.Add(-1) >= 0 {
						if _, err = conn.Write(request); err == nil {
							err = accepted(answers)
						}
					}
					failed <- err
				}()
			}
			for range clients {
				if err := <-failed; err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

// accepted reads one answer, which must be 202.
func accepted(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 202")) {
			return fmt.Errorf("answer %q", line)
		}
		if len(line) == 0 {
			_, err := r.Discard(length)
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
}
