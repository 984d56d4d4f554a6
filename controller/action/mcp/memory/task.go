package memory

import "k8s.io/apimachinery/pkg/types"

// Task is a task on a server behind HTTP, which outlives a worker that dies.
type Task struct {
	// Namespace and Job name the job; the file's name is its uid.
	Namespace string `json:"namespace,omitempty"`
	Job       string `json:"job,omitempty"`
	Attempt   string `json:"attempt"`
	Server    string `json:"server"`
	URL       string `json:"url"`
	Session   string `json:"session"`
	Protocol  string `json:"protocol"`
	Tool      string `json:"tool"`
	Task      string `json:"task"`
}

// KeepTask writes a job's task; the task is on disk when KeepTask returns. Whoever may read
// the file may go on with the session.
func (f Folder) KeepTask(job types.UID, task Task) error { return f.tasks().Write(job, task) }

// Task returns a job's task; nil: there is none.
func (f Folder) Task(job types.UID) (*Task, error) { return f.tasks().Read(job) }

// ForgetTask removes a job's task.
func (f Folder) ForgetTask(job types.UID) error { return f.tasks().Remove(job) }
