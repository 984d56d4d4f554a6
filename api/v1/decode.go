package v1

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DecodeJSON decodes data into j, which must be empty, as encoding/json does. It exists
// because a controller decodes a job several times in the job's life, and reflection
// takes five times as long: it reads the compact form in which engines keep jobs, and
// leaves everything else to encoding/json.
func (j *Job) DecodeJSON(data []byte) error {
	r := reader{b: data}
	r.object(func(key []byte) {
		switch string(key) {
		case "kind":
			text(&r, &j.Kind)
		case "apiVersion":
			text(&r, &j.APIVersion)
		case "metadata":
			r.meta(&j.ObjectMeta)
		case "spec":
			r.spec(&j.Spec)
		case "status":
			r.status(&j.Status)
		default:
			r.failed = true
		}
	})
	if !r.failed && r.at == len(data) {
		return nil
	}
	*j = Job{}
	return json.Unmarshal(data, j)
}

func (r *reader) meta(m *metav1.ObjectMeta) {
	r.object(func(key []byte) {
		switch string(key) {
		case "name":
			r.string(&m.Name)
		case "generateName":
			r.string(&m.GenerateName)
		case "namespace":
			r.string(&m.Namespace)
		case "uid":
			text(r, &m.UID)
		case "resourceVersion":
			r.string(&m.ResourceVersion)
		case "generation":
			number(r, &m.Generation)
		case "creationTimestamp":
			r.time(&m.CreationTimestamp.Time, time.RFC3339)
		case "labels":
			r.stringMap(&m.Labels)
		case "annotations":
			r.stringMap(&m.Annotations)
		default:
			r.failed = true
		}
	})
}

func (r *reader) spec(s *JobSpec) {
	r.object(func(key []byte) {
		switch string(key) {
		case "type":
			text(r, &s.Type)
		case "build":
			s.Build = &BuildAction{}
			r.build(s.Build)
		case "deploy":
			r.any(&s.Deploy)
		case "apiCall":
			s.APICall = &APICallAction{}
			r.apiCall(s.APICall)
		case "priority":
			number(r, &s.Priority)
		case "suspend":
			r.bool(&s.Suspend)
		case "cancel":
			r.bool(&s.Cancel)
		case "reruns":
			number(r, &s.Reruns)
		case "onInterruption":
			text(r, &s.OnInterruption)
		case "updatePolicy":
			text(r, &s.UpdatePolicy)
		case "dependsOn":
			r.array(func() {
				s.DependsOn = append(s.DependsOn, JobDependency{})
				r.dependency(&s.DependsOn[len(s.DependsOn)-1])
			})
		case "concurrency":
			s.Concurrency = &Concurrency{}
			r.concurrency(s.Concurrency)
		case "rateLimit":
			s.RateLimit = &RateLimit{}
			r.rateLimit(s.RateLimit)
		case "backoffLimit":
			pointer(r, &s.BackoffLimit)
		case "backoff":
			r.any(&s.Backoff)
		case "createdBy":
			r.any(&s.CreatedBy)
		default:
			r.failed = true
		}
	})
}

func (r *reader) dependency(d *JobDependency) {
	r.object(func(key []byte) {
		switch string(key) {
		case "name":
			r.string(&d.Name)
		case "condition":
			text(r, &d.Condition)
		default:
			r.failed = true
		}
	})
}

func (r *reader) concurrency(c *Concurrency) {
	r.object(func(key []byte) {
		switch string(key) {
		case "key":
			r.string(&c.Key)
		case "limit":
			pointer(r, &c.Limit)
		case "policy":
			text(r, &c.Policy)
		default:
			r.failed = true
		}
	})
}

func (r *reader) rateLimit(l *RateLimit) {
	r.object(func(key []byte) {
		switch string(key) {
		case "key":
			r.string(&l.Key)
		case "limit":
			pointer(r, &l.Limit)
		case "perSeconds":
			number(r, &l.PerSeconds)
		default:
			r.failed = true
		}
	})
}

func (r *reader) build(a *BuildAction) {
	r.object(func(key []byte) {
		switch string(key) {
		case "server":
			r.string(&a.Server)
		case "action":
			r.string(&a.Action)
		case "id":
			r.string(&a.ID)
		case "session":
			r.string(&a.Session)
		case "variables":
			r.values(&a.Variables)
		case "arguments":
			r.values(&a.Arguments)
		default:
			r.failed = true
		}
	})
}

func (r *reader) apiCall(a *APICallAction) {
	r.object(func(key []byte) {
		switch string(key) {
		case "url":
			r.string(&a.URL)
		case "method":
			r.string(&a.Method)
		case "headers":
			r.any(&a.Headers)
		case "body":
			r.any(&a.Body)
		case "expectStatus":
			r.any(&a.ExpectStatus)
		case "expect":
			r.any(&a.Expect)
		case "result":
			r.stringMap(&a.Result)
		case "maxRedirects":
			r.any(&a.MaxRedirects)
		case "timeoutSeconds":
			r.any(&a.TimeoutSeconds)
		case "poll":
			r.any(&a.Poll)
		default:
			r.failed = true
		}
	})
}

func (r *reader) status(s *JobStatus) {
	r.object(func(key []byte) {
		switch string(key) {
		case "phase":
			text(r, &s.Phase)
		case "pct":
			number(r, &s.Pct)
		case "step":
			r.string(&s.Step)
		case "reason":
			text(r, &s.Reason)
		case "message":
			r.string(&s.Message)
		case "observedGeneration":
			number(r, &s.ObservedGeneration)
		case "queuedTime":
			r.micro(&s.QueuedTime)
		case "nextAttemptTime":
			r.micro(&s.NextAttemptTime)
		case "retryAfterTime":
			r.micro(&s.RetryAfterTime)
		case "startTime":
			r.micro(&s.StartTime)
		case "completionTime":
			r.micro(&s.CompletionTime)
		case "lastUpdateTime":
			r.micro(&s.LastUpdateTime)
		case "reruns":
			number(r, &s.Reruns)
		case "attempts":
			number(r, &s.Attempts)
		case "failures":
			number(r, &s.Failures)
		case "interruptions":
			number(r, &s.Interruptions)
		case "idleTimeoutSeconds":
			pointer(r, &s.IdleTimeoutSeconds)
		case "currentAttempt":
			s.CurrentAttempt = &Attempt{}
			r.attempt(s.CurrentAttempt)
		case "conditions":
			r.array(func() {
				s.Conditions = append(s.Conditions, metav1.Condition{})
				r.condition(&s.Conditions[len(s.Conditions)-1])
			})
		case "result":
			r.any(&s.Result)
		case "artifacts":
			r.any(&s.Artifacts)
		case "dependencies":
			r.any(&s.Dependencies)
		case "lateResult":
			r.any(&s.LateResult)
		case "history":
			r.any(&s.History)
		default:
			r.failed = true
		}
	})
}

func (r *reader) attempt(a *Attempt) {
	r.object(func(key []byte) {
		switch string(key) {
		case "id":
			r.string(&a.ID)
		case "worker":
			r.string(&a.Worker)
		case "startTime":
			r.time(&a.StartTime.Time, metav1.RFC3339Micro)
		case "leaseExpires":
			r.micro(&a.LeaseExpires)
		default:
			r.failed = true
		}
	})
}

func (r *reader) condition(c *metav1.Condition) {
	r.object(func(key []byte) {
		switch string(key) {
		case "type":
			text(r, &c.Type)
		case "status":
			text(r, &c.Status)
		case "observedGeneration":
			number(r, &c.ObservedGeneration)
		case "lastTransitionTime":
			r.time(&c.LastTransitionTime.Time, time.RFC3339)
		case "reason":
			text(r, &c.Reason)
		case "message":
			r.string(&c.Message)
		default:
			r.failed = true
		}
	})
}

// reader reads compact JSON. What it does not know how to read sets failed, and from
// then on it reads nothing.
type reader struct {
	b      []byte
	at     int
	failed bool
}

// next takes c, if that is next.
func (r *reader) next(c byte) bool {
	if r.failed || r.at >= len(r.b) || r.b[r.at] != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) want(c byte) {
	if !r.next(c) {
		r.failed = true
	}
}

// object calls member with each key, for it to read the value. A key that comes twice
// means the last one to encoding/json, which merges; such an object is left to it.
func (r *reader) object(member func(key []byte)) {
	r.want('{')
	if r.next('}') {
		return
	}
	var seen [32][]byte
	for n := 0; !r.failed; n++ {
		key := r.plain()
		for _, other := range seen[:min(n, len(seen))] {
			if bytes.Equal(other, key) {
				r.failed = true
			}
		}
		if n == len(seen) {
			r.failed = true // more members than any object of ours has
			return
		}
		seen[n] = key
		r.want(':')
		if !r.failed {
			member(key)
		}
		if r.next(',') {
			continue
		}
		r.want('}')
		return
	}
}

func (r *reader) array(element func()) {
	r.want('[')
	if r.next(']') {
		r.failed = true // an empty list is not nil
		return
	}
	for !r.failed {
		element()
		if r.next(',') {
			continue
		}
		r.want(']')
		return
	}
}

// plain reads a string without escapes.
func (r *reader) plain() []byte {
	r.want('"')
	if r.failed {
		return nil
	}
	start := r.at
	for ; r.at < len(r.b); r.at++ {
		switch c := r.b[r.at]; {
		case c == '"':
			r.at++
			return r.b[start : r.at-1]
		case c == '\\', c < 0x20, c >= utf8.RuneSelf:
			r.failed = true
			return nil
		}
	}
	r.failed = true
	return nil
}

// string reads a string; one with escapes or beyond ASCII goes to encoding/json.
func (r *reader) string(s *string) {
	start := r.at
	if plain := r.plain(); !r.failed {
		*s = string(plain)
		return
	}
	r.failed, r.at = false, start
	r.any(s)
}

// text reads a string that is one of a few most of the time, which then takes no memory.
func text[S ~string](r *reader, to *S) {
	start := r.at
	if plain := r.plain(); !r.failed {
		if word, ok := words[string(plain)]; ok {
			*to = S(word)
		} else {
			*to = S(plain)
		}
		return
	}
	r.failed, r.at = false, start
	var s string
	r.any(&s)
	*to = S(s)
}

// words are the values that most jobs have somewhere.
var words = func() map[string]string {
	m := map[string]string{}
	for _, word := range append([]string{
		APIVersion, KindJob, string(JobTypeBuild), string(JobTypeDeploy), string(JobTypeAPICall),
		string(JobQueued), string(JobRunning), string(JobSucceeded), string(JobFailed), string(JobCanceled),
		ConditionComplete, ConditionFinished, ConditionSuspended, ConditionCanceling,
		string(metav1.ConditionTrue), string(metav1.ConditionFalse),
	}, Reasons()...) {
		m[word] = word
	}
	return m
}()

func number[N int32 | int64](r *reader, to *N) {
	start := r.at
	for r.at < len(r.b) && (r.b[r.at] == '-' || r.b[r.at] >= '0' && r.b[r.at] <= '9') {
		r.at++
	}
	digits := r.b[start:r.at]
	bits := 64
	if _, ok := any(*to).(int32); ok {
		bits = 32
	}
	n, err := strconv.ParseInt(string(digits), 10, bits)
	if err != nil || strconv.FormatInt(n, 10) != string(digits) {
		r.failed = true
		return
	}
	*to = N(n)
}

func pointer[N int32 | int64](r *reader, to **N) {
	var n N
	number(r, &n)
	*to = &n
}

func (r *reader) bool(to *bool) {
	for _, word := range []string{"true", "false"} {
		if bytes.HasPrefix(r.b[r.at:], []byte(word)) {
			*to = word == "true"
			r.at += len(word)
			return
		}
	}
	r.failed = true
}

func (r *reader) time(to *time.Time, layout string) {
	s := r.plain()
	if r.failed {
		return
	}
	t, err := time.Parse(layout, string(s))
	if err != nil {
		r.failed = true
		return
	}
	*to = t.Local() // as metav1 does
}

func (r *reader) micro(to **metav1.MicroTime) {
	var t metav1.MicroTime
	r.time(&t.Time, metav1.RFC3339Micro)
	*to = &t
}

func (r *reader) stringMap(to *map[string]string) {
	m := map[string]string{}
	r.object(func(key []byte) {
		var s string
		r.string(&s)
		m[string(key)] = s
	})
	*to = m
}

func (r *reader) values(to *map[string]JSON) {
	m := map[string]JSON{}
	r.object(func(key []byte) {
		var v JSON
		r.any(&v)
		m[string(key)] = v
	})
	*to = m
}

// any reads one value by way of encoding/json.
func (r *reader) any(to any) {
	raw := r.raw()
	if r.failed || json.Unmarshal(raw, to) != nil {
		r.failed = true
	}
}

// raw is one value as it stands; whether it is valid is for others to say.
func (r *reader) raw() []byte {
	start, depth, quoted := r.at, 0, false
	for ; !r.failed && r.at < len(r.b); r.at++ {
		c := r.b[r.at]
		switch {
		case quoted && c == '\\':
			r.at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']', c == ',':
			if depth == 0 {
				return r.b[start:r.at]
			}
			if c != ',' {
				depth--
			}
		}
	}
	r.failed = true
	return nil
}
