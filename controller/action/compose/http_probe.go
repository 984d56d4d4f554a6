package compose

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	v1 "jobwright.dev/api/v1"
)

const (
	// probeAnswerTime bounds one question of the health probe.
	probeAnswerTime = 5 * time.Second
	// probePause lies between two questions.
	probePause = time.Second
)

// probeHealth asks health.probe once; an error says how the answer is not as expected.
// The probe may go to the loopback address at ports that containers of the deploy publish
// there, and otherwise where the operator lets api_call go.
func (r *Runner) probeHealth(ctx context.Context, probe *v1.HTTPProbe, seen []observed) error {
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		if publishedAt(seen, address) {
			return nil
		}
		if r.checkAddress == nil {
			return fmt.Errorf("%s is no port that a container of the deploy publishes", address)
		}
		return r.checkAddress(address)
	}}
	client := http.Client{
		Timeout:       probeAnswerTime,
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, probe.URL, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	expected := response.StatusCode/100 == 2
	if len(probe.ExpectStatus) > 0 {
		expected = slices.Contains(probe.ExpectStatus, int32(response.StatusCode))
	}
	if expected {
		return nil
	}
	want := "2xx"
	if len(probe.ExpectStatus) > 0 {
		want = fmt.Sprint(probe.ExpectStatus)
	}
	return fmt.Errorf("GET %s answered %s; expected is %s", request.URL.Redacted(), response.Status, want)
}

// publishedAt reports whether a container publishes a port at that loopback address.
func publishedAt(seen []observed, address string) bool {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return false
	}
	return slices.ContainsFunc(seen, func(c observed) bool {
		return slices.ContainsFunc(c.Ports, func(p published) bool {
			own := p.address
			return p.port == at.Port() && (!own.IsValid() || own.IsUnspecified() || own.Unmap() == at.Addr().Unmap())
		})
	})
}
