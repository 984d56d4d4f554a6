package v1

// Plan is what a job would do, found out without doing it.
type Plan struct {
	// valid tells that the job could be carried out as far as that can be known
	// without doing it.
	Valid bool `json:"valid"`
	// problems are what is wrong with the job, each with the field's path. Empty when
	// it is valid.
	// +optional
	Problems []string `json:"problems,omitempty"`
	// changes are what the job would do, in its order. Empty: nothing, or it cannot
	// be told.
	// +optional
	Changes []PlanChange `json:"changes,omitempty"`
}

// PlanVerb is what a job would do to one thing.
type PlanVerb string

// The verbs of a PlanChange.
const (
	// PlanCall: a tool or an address is called.
	PlanCall PlanVerb = "Call"
	// PlanCreate: it is not there yet.
	PlanCreate PlanVerb = "Create"
	// PlanActionUpdate: it is changed in place.
	PlanActionUpdate PlanVerb = "Change"
	// PlanRecreate: it is replaced by a new one.
	PlanRecreate PlanVerb = "Recreate"
	// PlanRemove: it is removed.
	PlanRemove PlanVerb = "Remove"
	// PlanKeep: it is as asked already.
	PlanKeep PlanVerb = "Keep"
)

// PlanChange is one thing a job would do.
type PlanChange struct {
	// verb is what would be done.
	Verb PlanVerb `json:"verb"`
	// kind is what sort of thing it is, e.g. "service", "network", "tool".
	Kind string `json:"kind"`
	// name is the thing's name.
	Name string `json:"name"`
	// detail says for a person what is different, or with which arguments.
	// +optional
	Detail string `json:"detail,omitempty"`
}
