package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/outbound"
)

const (
	// probeAnswerTime bounds one question of the health probe.
	probeAnswerTime = 5 * time.Second
	// probePause lies between two questions.
	probePause = time.Second
)

// Probe asks health.probe once; an error says how the answer is not as expected. The probe
// may go to the loopback address at ports that the containers publish there, and otherwise
// where the network goes.
func Probe(ctx context.Context, probe *v1.HTTPProbe, containers []engine.Container, network *outbound.Network) error {
	client := http.Client{
		Timeout:       probeAnswerTime,
		Transport:     network.Permitting(func(address string) bool { return publishedAt(containers, address) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, probe.URL, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if refused := (*outbound.RefusedError)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%s is no port that a container of the deploy publishes: %w", request.URL.Host, refused)
	}
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
func publishedAt(containers []engine.Container, address string) bool {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return false
	}
	return slices.ContainsFunc(containers, func(c engine.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p engine.Port) bool {
			own := p.Address
			return p.Number == at.Port() && (!own.IsValid() || own.IsUnspecified() || own.Unmap() == at.Addr().Unmap())
		})
	})
}
