package eventview

import (
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/events"
)

// Of converts an event to core/v1.
func Of(e *events.Event) core.Event {
	out := core.Event{
		TypeMeta: metav1.TypeMeta{Kind: core.KindEvent, APIVersion: core.Version},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s.%016x", e.Job, e.FirstSeq), Namespace: e.Workspace,
			ResourceVersion: strconv.FormatUint(e.Seq, 10), CreationTimestamp: metav1.NewTime(e.First),
		},
		InvolvedObject: core.ObjectReference{
			Kind: v1.KindJob, APIVersion: v1.APIVersion, Namespace: e.Workspace, Name: e.Job, UID: e.UID,
		},
		Reason: e.Reason, Message: e.Message, Type: e.Type, Count: int32(e.Count),
		FirstTimestamp: metav1.NewTime(e.First), LastTimestamp: metav1.NewTime(e.Time), EventTime: metav1.NewMicroTime(e.Time),
		Source: core.EventSource{Component: component}, ReportingComponent: component,
	}
	if e.Attempt != "" {
		out.Annotations = map[string]string{core.AttemptAnnotation: e.Attempt}
	}
	return out
}

// component is the source and the reporting component of every event.
const component = "jobwright"
