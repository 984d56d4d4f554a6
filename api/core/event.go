package core

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Names in requests and answers.
const (
	Version        = "v1"
	KindEvent      = "Event"
	KindEventList  = "EventList"
	ResourceEvents = "events"

	// AttemptAnnotation names the attempt that an event is about.
	AttemptAnnotation = "jobwright.dev/attempt"
)

// Event says what has happened to an object. The server makes events; they are read
// only.
type Event struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	// InvolvedObject is what the event is about.
	InvolvedObject ObjectReference `json:"involvedObject"`
	// Reason is one word for a machine, Message a sentence for a person.
	Reason  string      `json:"reason,omitempty"`
	Message string      `json:"message,omitempty"`
	Source  EventSource `json:"source,omitzero"`
	// FirstTimestamp and LastTimestamp are when the first and the last of Count
	// identical events in a row happened.
	FirstTimestamp metav1.Time `json:"firstTimestamp,omitzero"`
	LastTimestamp  metav1.Time `json:"lastTimestamp,omitzero"`
	Count          int32       `json:"count,omitempty"`
	// Type is Normal or Warning.
	Type string `json:"type,omitempty"`
	// EventTime is the last one's time in full.
	EventTime metav1.MicroTime `json:"eventTime,omitzero"`

	ReportingComponent string `json:"reportingComponent"`
	ReportingInstance  string `json:"reportingInstance"`
}

// ObjectReference names an object.
type ObjectReference struct {
	Kind       string    `json:"kind,omitempty"`
	Namespace  string    `json:"namespace,omitempty"`
	Name       string    `json:"name,omitempty"`
	UID        types.UID `json:"uid,omitempty"`
	APIVersion string    `json:"apiVersion,omitempty"`
	FieldPath  string    `json:"fieldPath,omitempty"`
}

// EventSource says who reports an event.
type EventSource struct {
	Component string `json:"component,omitempty"`
	Host      string `json:"host,omitempty"`
}

// EventList is a page of events.
type EventList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []Event `json:"items"`
}

// SortByTime sorts events from the oldest to the newest. Of events of the same time, the
// one that a list has last comes first: lists begin with the newest.
func SortByTime(items []Event) {
	slices.Reverse(items)
	slices.SortStableFunc(items, func(a, b Event) int { return a.EventTime.Compare(b.EventTime.Time) })
}
