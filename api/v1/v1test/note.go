package v1test

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
)

// Note is a kind that is made up: what has to work for every kind works for this one,
// which no code but that of tests knows. It has no generated code.
type Note struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   NoteSpec   `json:"spec,omitzero"`
	Status NoteStatus `json:"status,omitzero"`
}

// NoteSpec is what an author says.
type NoteSpec struct {
	Text   string   `json:"text"`
	Volume int32    `json:"volume,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	// Author is set by the server alone.
	Author string `json:"author,omitempty"`
}

// NoteStatus is what has become of a note.
type NoteStatus struct {
	Readers int32 `json:"readers,omitempty"`
	// Shown is computed when the note is read, and never stored.
	Shown string `json:"shown,omitempty"`
}

// Default implements v1.Object.
func (n *Note) Default() {
	if n.Spec.Volume == 0 {
		n.Spec.Volume = 5
	}
}

// DeepCopyObject implements runtime.Object.
func (n *Note) DeepCopyObject() runtime.Object {
	copied := *n
	n.DeepCopyInto(&copied.ObjectMeta)
	copied.Spec.Tags = slices.Clone(n.Spec.Tags)
	return &copied
}

// KindNote is the name of the kind.
const KindNote = "Note"

// Kinds are those of v1 and the one that is made up.
func Kinds() v1.KindSet {
	return append(v1.Kinds(), v1.DefineKind(v1.Kind{
		Name: KindNote, Resource: "notes", Singular: "note", ShortNames: []string{"nt"}, Namespaced: true,
	}, v1.Strategy[*Note]{
		New:            func() *Note { return &Note{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: KindNote}} },
		Validate:       validateNote,
		ValidateUpdate: func(n, _ *Note) field.ErrorList { return validateNote(n) },
		ValidateStatus: func(n, old *Note) field.ErrorList {
			if n.Status.Readers < old.Status.Readers {
				return field.ErrorList{field.Forbidden(field.NewPath("status", "readers"), "readers never become fewer")}
			}
			return nil
		},
		PrepareForCreate: func(n *Note, _ bool) { n.Spec.Author, n.Status.Readers = "server", 1 },
		PrepareForUpdate: func(n, old *Note) { n.Spec.Author = old.Spec.Author },
		Stored: func(n *Note) *Note {
			stored := *n
			stored.Status.Shown = ""
			return &stored
		},
		Merge: func(n, current *Note) { n.Spec.Tags = append(slices.Clone(current.Spec.Tags), n.Spec.Tags...) },
		Columns: []v1.ColumnOf[*Note]{
			{Name: "TEXT", Value: func(n *Note, _ time.Time) any { return n.Spec.Text }},
			{Name: "READERS", Value: func(n *Note, _ time.Time) any { return n.Status.Readers }},
			{Name: "AUTHOR", Wide: true, Value: func(n *Note, _ time.Time) any { return n.Spec.Author }},
		},
	}))
}

func validateNote(n *Note) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if n.Spec.Text == "" {
		errs = append(errs, field.Required(path.Child("text"), "say something"))
	}
	if n.Spec.Volume < 1 || n.Spec.Volume > 10 {
		errs = append(errs, field.Invalid(path.Child("volume"), n.Spec.Volume, "must be between 1 and 10"))
	}
	return errs
}
