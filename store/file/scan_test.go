package file

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
)

func TestAStatusIsFoundWhereTheWholeScanFindsIt(t *testing.T) {
	misleading := func(change func(*v1.Job)) *v1.Job {
		j := &v1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
			ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "acme", UID: "0199a0e4-0000-7000-8000-000000000000"},
			Spec:       v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Server: "s", Action: "a"}},
			Status:     v1.JobStatus{Phase: v1.JobQueued},
		}
		change(j)
		return j
	}
	cases := map[string]v1.Object{
		"a status among the arguments": misleading(func(j *v1.Job) {
			j.Spec.Build.Arguments = map[string]v1.JSON{
				"status": {Raw: []byte(`{"phase":"Failed"}`)}, "metadata": {Raw: []byte(`{"resourceVersion":"7"}`)},
			}
		}),
		"a label and an annotation like the version": misleading(func(j *v1.Job) {
			j.Labels = map[string]string{"resourceVersion": "7"}
			j.Annotations = map[string]string{"resourceVersion": `"8"},"status":{"a":"b"}`}
		}),
		"a status in the result": misleading(func(j *v1.Job) { j.Status.Result = &v1.JSON{Raw: []byte(`{"status":{},"a":"}"}`)} }),
		"no status":              misleading(func(j *v1.Job) { j.Status = v1.JobStatus{} }),
	}
	for _, kind := range v1.Kinds() {
		cases["every field of a "+kind.Name] = v1test.Full(kind)
	}
	for name, obj := range cases {
		t.Run(name, func(t *testing.T) {
			kind, _ := v1.Kinds().Of(obj)
			meta, err := metaOf(obj)
			if err != nil {
				t.Fatal(err)
			}
			enc, err := assemble(kind, meta, obj)
			if err != nil {
				t.Fatal(err)
			}
			b := enc.withVersion(42)
			want, err := scan(b)
			if err != nil {
				t.Fatal(err)
			}
			got, err := scanStatus(b)
			if err != nil || got.rvAt != want.rvAt || got.status != want.status {
				t.Errorf("scanStatus: version at %v, status at %v, %v; scan: %v, %v\n%s", got.rvAt, got.status, err, want.rvAt, want.status, b)
			}
		})
	}
	for name, b := range map[string]string{
		"nothing": "", "no object": "[]", "no version": `{"metadata":{"name":"a"},"status":{}}`, "cut off": `{"metadata":{"resourceVersion":"4"`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := scanStatus([]byte(b)); err == nil {
				t.Errorf("scanStatus took it: %+v", got)
			}
		})
	}
}
