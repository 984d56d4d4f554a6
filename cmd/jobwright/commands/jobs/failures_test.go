package jobs

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestFailuresThatMeanTheSameAreOneGroup(t *testing.T) {
	failed := func(name, reason, message string, ago time.Duration) *v1.Job {
		at := metav1.NewMicroTime(noon.Add(-ago))
		return &v1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.JobSpec{Type: v1.JobTypeAPICall},
			Status: v1.JobStatus{Reason: reason, Message: message, CompletionTime: &at},
		}
	}
	groups := client.GroupFailures([]*v1.Job{
		failed("a", "Timeout", "No answer for 30 s", time.Minute),
		failed("b", "UnexpectedStatus", "503 from http://10.0.0.1:80/x", time.Hour),
		failed("c", "UnexpectedStatus", "503 from http://10.0.0.2:81/x\nmore", time.Second),
		failed("d", "UnexpectedStatus", "job 0199f3c2-0000-7000-8000-000000000001 is not there", 0),
	})
	var out strings.Builder
	if err := printFailures(&out, groups, noon); err != nil {
		t.Fatal(err)
	}
	want := `COUNT   TYPE       REASON             LAST   EXAMPLE   MESSAGE
2       api_call   UnexpectedStatus   1s     b         … from http://…/x
1       api_call   UnexpectedStatus   0ms    d         job … is not there
1       api_call   Timeout            60s    a         No answer for … s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
