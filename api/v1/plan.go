package v1

// Plan describes what a job would do. Making a plan changes nothing.
type Plan struct {
	// valid means that no problem was found; a valid job can still fail.
	Valid bool `json:"valid"`
	// problems are the problems of the job, each with the path of its field. Empty if
	// the job is valid.
	// +optional
	Problems []string `json:"problems,omitempty"`
	// changes are the steps of the job, in order. Empty: there are none, or they cannot
	// be known beforehand.
	// +optional
	Changes []PlanChange `json:"changes,omitempty"`
}

// PlanVerb is the effect of a job on one thing.
type PlanVerb string

// The verbs of a PlanChange.
const (
	// PlanCall: a tool or an address is called.
	PlanCall PlanVerb = "Call"
	// PlanCreate: it does not exist yet.
	PlanCreate PlanVerb = "Create"
	// PlanActionUpdate: it is changed in place.
	PlanActionUpdate PlanVerb = "Change"
	// PlanRecreate: it is replaced by a new one.
	PlanRecreate PlanVerb = "Recreate"
	// PlanRemove: it is removed.
	PlanRemove PlanVerb = "Remove"
	// PlanKeep: it needs no change.
	PlanKeep PlanVerb = "Keep"
)

// PlanChange is the effect of a job on one thing.
type PlanChange struct {
	// verb is the effect.
	Verb PlanVerb `json:"verb"`
	// kind is the kind of thing, e.g. "service", "network", "tool".
	Kind string `json:"kind"`
	// name is the thing's name.
	Name string `json:"name"`
	// detail describes the difference or the arguments for a person.
	// +optional
	Detail string `json:"detail,omitempty"`
}
