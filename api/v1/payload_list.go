package v1

// JobTypeInfo describes a type of job to a client that makes a form or a menu of it.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type JobTypeInfo struct {
	// type is the value of spec.type.
	Type JobType `json:"type"`
	// field is the name of the payload in the spec.
	Field string `json:"field"`
	// title and about say for a person what a job of the type is.
	Title string `json:"title"`
	About string `json:"about"`
}

// JobTypeList is the answer to GET /api/types.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type JobTypeList struct {
	// items are the types of jobs, in the order in which a menu shows them.
	Items []JobTypeInfo `json:"items"`
}

// List describes the payloads to a client.
func (s PayloadSet) List() JobTypeList {
	list := JobTypeList{Items: make([]JobTypeInfo, 0, len(s))}
	for _, p := range s {
		list.Items = append(list.Items, JobTypeInfo{Type: p.Type, Field: p.Field, Title: p.Title, About: p.About})
	}
	return list
}
