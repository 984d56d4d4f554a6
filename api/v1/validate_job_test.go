package v1

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// raw is a JSON value as an author would write it.
func raw(text string) JSON { return JSON{Raw: []byte(text)} }

// newJob is a valid job; spec changes it.
func newJob(spec func(*Job)) *Job {
	j := &Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: APIVersion, Kind: KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: "add-health-route", Namespace: "acme"},
		Spec: JobSpec{Type: JobTypeBuild, Build: &BuildAction{
			Server: "builders", Action: "apply_builder", ID: "nextjs-api-route",
			Variables: map[string]JSON{"ROUTE_NAME": raw(`"health"`)},
		}},
	}
	if spec != nil {
		spec(j)
	}
	return j
}

func deploy(d DeployAction) func(*Job) {
	return func(j *Job) { j.Spec = JobSpec{Type: JobTypeDeploy, Deploy: &d} }
}

func apiCall(a APICallAction) func(*Job) {
	return func(j *Job) { j.Spec = JobSpec{Type: JobTypeAPICall, APICall: &a} }
}

func messages(errs field.ErrorList) []string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return texts
}

type jobCase struct {
	spec func(*Job)
	want []string
}

func testValidation(t *testing.T, cases map[string]jobCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			job := newJob(c.spec)
			job.Default()
			if diff := cmp.Diff(c.want, messages(ValidateJob(job))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateJob(t *testing.T) {
	testValidation(t, map[string]jobCase{
		"a build is valid": {},
		"the type is decided by the one payload": {
			spec: func(j *Job) { j.Spec.Type = "" },
		},
		"an api_call needs no payload": {
			spec: func(j *Job) { j.Spec = JobSpec{Type: JobTypeAPICall} },
		},
		"an empty spec says what to set": {
			spec: func(j *Job) { j.Spec = JobSpec{} },
			want: []string{"spec.type: Required value: set it, or set exactly one of build, deploy and apiCall"},
		},
		"an unknown type names the known ones": {
			spec: func(j *Job) { j.Spec.Type = "bild" },
			want: []string{`spec.type: Unsupported value: "bild": supported values: "build", "deploy", "api_call"`},
		},
		"a type without its payload": {
			spec: func(j *Job) { j.Spec = JobSpec{Type: JobTypeDeploy} },
			want: []string{"spec.deploy: Required value: type is deploy"},
		},
		"a payload of another type": {
			spec: func(j *Job) { j.Spec.Deploy = &DeployAction{Verb: DeployUp} },
			want: []string{"spec.deploy: Forbidden: may not be set when type is build"},
		},
		"everything that is wrong is said at once": {
			spec: func(j *Job) {
				deploy(DeployAction{Verb: "upp", Services: []string{""}})(j)
				j.Spec.Priority = 1001
				j.Spec.ActiveDeadlineSeconds = new(int64(0))
			},
			want: []string{
				`spec.deploy.verb: Unsupported value: "upp": supported values: "up", "down", "build", "pull", "ps", "logs", "restart", "stop", "start", "config", "rollback"`,
				"spec.deploy.services[0]: Required value: must not be empty",
				"spec.priority: Invalid value: 1001: must be between -1000 and 1000",
				"spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 3153600000",
			},
		},
		"a deadline beyond what a duration holds": {
			spec: func(j *Job) { j.Spec.ActiveDeadlineSeconds = new(int64(1) << 40) },
			want: []string{"spec.activeDeadlineSeconds: Invalid value: 1099511627776: must be between 1 and 3153600000"},
		},
		"cancel may be set from the start": {
			spec: func(j *Job) { j.Spec.Cancel = true },
		},
	})
}

func TestValidateJobMetadata(t *testing.T) {
	testValidation(t, map[string]jobCase{
		"the id of a job from /api/jobs is a name": {
			spec: func(j *Job) { j.Name = "1796034567890-a1b2c3" },
		},
		"a name may hold dots": {
			spec: func(j *Job) { j.Name = "route.health" },
		},
		"no name": {
			spec: func(j *Job) { j.Name = "" },
			want: []string{"metadata.name: Required value: name or generateName is required"},
		},
		"no workspace": {
			spec: func(j *Job) { j.Namespace = "" },
			want: []string{"metadata.namespace: Required value"},
		},
		"a name that is too long": {
			spec: func(j *Job) { j.Name = strings.Repeat("a", 64) },
			want: []string{"metadata.name: Too long: may not be more than 63 bytes"},
		},
		"a name with a slash": {
			spec: func(j *Job) { j.Name = "a/b" },
			want: []string{`metadata.name: Invalid value: "a/b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		},
		"a workspace with a dot": {
			spec: func(j *Job) { j.Namespace = "a.b" },
			want: []string{`metadata.namespace: Invalid value: "a.b": must not contain dots`},
		},
		"a label value with a space": {
			spec: func(j *Job) { j.Labels = map[string]string{"team": "web site"} },
			want: []string{`metadata.labels: Invalid value: "web site": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`},
		},
		"an annotation key with a space": {
			spec: func(j *Job) { j.Annotations = map[string]string{"a b": ""} },
			want: []string{`metadata.annotations: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`},
		},
		"a spec that is larger than the limit": {
			spec: func(j *Job) {
				j.Spec.Build.Variables["BLOB"] = raw(`"` + strings.Repeat("x", MaxObjectBytes) + `"`)
			},
			want: []string{"spec: Too long: spec, labels and annotations take 262285 bytes, at most 262144 are allowed; put large inputs into a file or behind a URL and pass its name"},
		},
	})
}

func TestValidateBuild(t *testing.T) {
	testValidation(t, map[string]jobCase{
		"no tool": {
			spec: func(j *Job) { j.Spec.Build.Action = "" },
			want: []string{"spec.build.action: Required value: name the tool to call"},
		},
		"names that are too long": {
			spec: func(j *Job) {
				j.Spec.Build.Server = strings.Repeat("ü", 254)
				j.Spec.Build.Action = strings.Repeat("ü", 253)
				j.Spec.Build.ID = strings.Repeat("i", 254)
			},
			want: []string{
				"spec.build.server: Too long: may not be more than 253 characters",
				"spec.build.id: Too long: may not be more than 253 characters",
			},
		},
		"a line break in a name": {
			spec: func(j *Job) { j.Spec.Build.Action = "a\nb" },
			want: []string{`spec.build.action: Invalid value: "a\nb": must not contain control characters`},
		},
		"arguments that name what is set above": {
			spec: func(j *Job) { j.Spec.Build.Arguments = map[string]JSON{"id": raw("1"), "variables": raw("{}")} },
			want: []string{
				"spec.build.arguments[id]: Forbidden: id is set above and passed as this argument; set one of them",
				"spec.build.arguments[variables]: Forbidden: variables are set above and passed as this argument; set one of them",
			},
		},
		"arguments that name what is not set above": {
			spec: func(j *Job) {
				j.Spec.Build = &BuildAction{Action: "echo", Arguments: map[string]JSON{"id": raw("1"), "variables": raw("{}")}}
			},
		},
	})
}

func TestValidateDeploy(t *testing.T) {
	testValidation(t, map[string]jobCase{
		"every field": {
			spec: deploy(DeployAction{
				Verb: DeployUp, ComposePath: "app/compose.yml", ProjectName: "my_app-1", Services: []string{"web"},
				Profiles: []string{"debug"}, ExtraArgs: []string{"--force-recreate", "-t", "10", "--scale=web=2"},
			}),
		},
		"no verb": {
			spec: deploy(DeployAction{}),
			want: []string{"spec.deploy.verb: Required value: name the compose operation"},
		},
		"a compose file above the root": {
			spec: deploy(DeployAction{Verb: DeployUp, ComposePath: "app/../../etc/compose.yml"}),
			want: []string{`spec.deploy.composePath: Invalid value: "app/../../etc/compose.yml": must lie below a compose root`},
		},
		"a project name with capitals": {
			spec: deploy(DeployAction{Verb: DeployUp, ProjectName: "App"}),
			want: []string{`spec.deploy.projectName: Invalid value: "App": must consist of lower case letters, digits, '-' and '_', and start with a letter or digit`},
		},
		"names that would be flags or stand twice": {
			spec: deploy(DeployAction{Verb: DeployUp, Services: []string{"--help", "web", "web"}, Profiles: []string{"-x", ""}}),
			want: []string{
				`spec.deploy.services[0]: Invalid value: "--help": must not start with '-'`,
				`spec.deploy.services[2]: Duplicate value: "web"`,
				`spec.deploy.profiles[0]: Invalid value: "-x": must not start with '-'`,
				"spec.deploy.profiles[1]: Required value: must not be empty",
			},
		},
		"arguments that are no flags": {
			spec: deploy(DeployAction{Verb: DeployUp, ExtraArgs: []string{"web", "", "--", "-t", "1", "2"}}),
			want: []string{
				`spec.deploy.extraArgs[0]: Invalid value: "web": must name a flag or be the value of the flag before it; services belong into services`,
				"spec.deploy.extraArgs[1]: Required value: must not be empty",
				`spec.deploy.extraArgs[2]: Invalid value: "--": must name a flag or be the value of the flag before it; services belong into services`,
				`spec.deploy.extraArgs[5]: Invalid value: "2": must name a flag or be the value of the flag before it; services belong into services`,
			},
		},
		"flags that the verb does not take, or not like this": {
			spec: deploy(DeployAction{Verb: DeployStop, ExtraArgs: []string{"--force-recreate", "--timeout", "soon", "-t"}}),
			want: []string{
				`spec.deploy.extraArgs[0]: Unsupported value: "--force-recreate": supported values: "--timeout", "-t"`,
				`spec.deploy.extraArgs[2]: Invalid value: "soon": the value of --timeout must match ^[0-9]{1,6}$`,
				`spec.deploy.extraArgs[3]: Invalid value: "-t": -t needs a value`,
			},
		},
		"the volumes of some services": {
			spec: deploy(DeployAction{Verb: DeployDown, Services: []string{"web"}, ExtraArgs: []string{"-v"}}),
			want: []string{`spec.deploy.extraArgs: Invalid value: ["-v"]: down --volumes takes the whole project down; leave services out`},
		},
		"a rollback names its project and nothing of compose's": {
			spec: deploy(DeployAction{
				Verb: DeployRollback, ComposePath: "a.yml", Profiles: []string{"p"}, ExtraArgs: []string{"-d"},
				Env: []DeployEnv{{Name: "A"}}, Revision: new(int64(0)), Rollback: RollbackOnFailure,
			}),
			want: []string{
				"spec.deploy.rollback: Forbidden: OnFailure goes with verb up only",
				"spec.deploy.projectName: Required value: name the compose project to roll back",
				"spec.deploy.revision: Invalid value: 0: must be at least 1, or unset for the one before the newest",
				"spec.deploy.composePath: Forbidden: not with verb rollback: the revision says it",
				"spec.deploy.profiles: Forbidden: not with verb rollback: the revision says it",
				"spec.deploy.extraArgs: Forbidden: not with verb rollback: the revision says it",
				"spec.deploy.env: Forbidden: not with verb rollback: the revision says it",
			},
		},
		"a rollback of one service to a revision": {
			spec: deploy(DeployAction{Verb: DeployRollback, ProjectName: "shop", Revision: new(int64(3)), Services: []string{"web"}}),
		},
		"an up that rolls back, with a secret and a value": {
			spec: deploy(DeployAction{Verb: DeployUp, Rollback: RollbackOnFailure, Env: []DeployEnv{
				{Name: "DB_PASSWORD", ValueFrom: &ValueSource{SecretRef: "db"}}, {Name: "TAG", Value: "v1"}, {Name: "EMPTY"},
			}}),
		},
		"a policy that is none, and a revision of no rollback": {
			spec: deploy(DeployAction{Verb: DeployUp, Rollback: "Always", Revision: new(int64(1))}),
			want: []string{
				`spec.deploy.rollback: Unsupported value: "Always": supported values: "OnFailure", "Never"`,
				"spec.deploy.revision: Forbidden: goes with verb rollback only",
			},
		},
		"variables that are none, or not the project's": {
			spec: deploy(DeployAction{Verb: DeployUp, Env: []DeployEnv{
				{},
				{Name: "1A"},
				{Name: "A"},
				{Name: "A"},
				{Name: "DOCKER_HOST", Value: "tcp://x"},
				{Name: "https_proxy", Value: "x"},
				{Name: "B", Value: "b", ValueFrom: &ValueSource{SecretRef: "b"}},
				{Name: "C", ValueFrom: &ValueSource{}},
			}}),
			want: []string{
				"spec.deploy.env[0].name: Required value: name the variable",
				`spec.deploy.env[1].name: Invalid value: "1A": must consist of letters, digits and '_', not start with a digit, and have at most 253 characters`,
				`spec.deploy.env[3].name: Duplicate value: "A"`,
				"spec.deploy.env[4].name: Forbidden: DOCKER_HOST would change docker, compose or the server, not the project; give the variable another name",
				"spec.deploy.env[5].name: Forbidden: https_proxy would change docker, compose or the server, not the project; give the variable another name",
				"spec.deploy.env[6].valueFrom: Forbidden: not together with value",
				"spec.deploy.env[7].valueFrom.secretRef: Required value: name a secret of the operator's file",
			},
		},
		"too many arguments": {
			spec: deploy(DeployAction{Verb: DeployUp, ExtraArgs: strings.Split(strings.Repeat("-d ", 50)+"-d", " ")}),
			want: []string{"spec.deploy.extraArgs: Too many: 51: must have at most 50 items"},
		},
		"a deploy's health within its bounds": {
			spec: deploy(DeployAction{Verb: DeployUp, Health: &DeployHealth{
				StableSeconds: new(int32(0)), MaxRestarts: new(int32(0)), Probe: &HTTPProbe{URL: "http://localhost:8080/health", ExpectStatus: []int32{204}},
				Services: map[string]ServiceHealth{"init": {Expect: ExpectCompleted}, "web": {StableSeconds: new(int32(9)), MaxRestarts: new(int32(1))}},
			}, Limits: &DeployLimits{PullSeconds: new(int32(1)), HealthSeconds: new(int32(86400))}}),
		},
		"a deploy's health out of bounds": {
			spec: deploy(DeployAction{Verb: DeployUp, Health: &DeployHealth{
				StableSeconds: new(int32(-1)), MaxRestarts: new(int32(101)), Probe: &HTTPProbe{ExpectStatus: []int32{99}},
				Services: map[string]ServiceHealth{"-x": {}, "web": {StableSeconds: new(int32(3601)), MaxRestarts: new(int32(-1)), Expect: "Sleeping"}},
			}}),
			want: []string{
				"spec.deploy.health.stableSeconds: Invalid value: -1: must be between 0 and 3600",
				"spec.deploy.health.maxRestarts: Invalid value: 101: must be between 0 and 100",
				"spec.deploy.health.probe.url: Required value: say what to ask",
				"spec.deploy.health.probe.expectStatus[0]: Invalid value: 99: must be between 200 and 599",
				`spec.deploy.health.services[-x]: Invalid value: "-x": must not start with '-'`,
				"spec.deploy.health.services[web].stableSeconds: Invalid value: 3601: must be between 0 and 3600",
				"spec.deploy.health.services[web].maxRestarts: Invalid value: -1: must be between 0 and 100",
				`spec.deploy.health.services[web].expect: Unsupported value: "Sleeping": supported values: "Running", "Completed", "Any"`,
			},
		},
		"a probe with a password": {
			spec: deploy(DeployAction{Verb: DeployUp, Health: &DeployHealth{Probe: &HTTPProbe{URL: "http://u:secret@h/"}}}),
			want: []string{`spec.deploy.health.probe.url: Invalid value: "http://u:xxxxx@h/": must not contain user or password`},
		},
		"a deploy's limits out of bounds": {
			spec: deploy(DeployAction{Verb: DeployUp, Limits: &DeployLimits{
				PullSeconds: new(int32(0)), BuildSeconds: new(int32(86401)), StartSeconds: new(int32(-1)), HealthSeconds: new(int32(0)),
			}}),
			want: []string{
				"spec.deploy.limits.pullSeconds: Invalid value: 0: must be between 1 and 86400",
				"spec.deploy.limits.buildSeconds: Invalid value: 86401: must be between 1 and 86400",
				"spec.deploy.limits.startSeconds: Invalid value: -1: must be between 1 and 86400",
				"spec.deploy.limits.healthSeconds: Invalid value: 0: must be between 1 and 86400",
			},
		},
		"health and limits of a verb that starts nothing": {
			spec: deploy(DeployAction{Verb: DeployDown, Health: &DeployHealth{}, Limits: &DeployLimits{}}),
			want: []string{
				"spec.deploy.health: Forbidden: only with the verbs up, start and restart, which start containers",
				"spec.deploy.limits: Forbidden: only with the verbs up, start and restart, which start containers",
			},
		},
		"a NUL in a path": {
			spec: deploy(DeployAction{Verb: DeployUp, ComposePath: "a\x00b"}),
			want: []string{`spec.deploy.composePath: Invalid value: "a\x00b": must not contain control characters`},
		},
	})
}

func TestValidateAPICall(t *testing.T) {
	testValidation(t, map[string]jobCase{
		"every field": {
			spec: apiCall(APICallAction{
				URL: "https://[::1]:8443/a?b=c", Method: "PUT", Headers: map[string]HeaderValue{"X-A": {Value: "b\tc ü"}},
				Body: new(raw(`{"a":1}`)), ExpectStatus: []int32{200, 404}, TimeoutSeconds: new(int32(3600)),
			}),
		},
		"a tracking record may carry a body": {
			spec: apiCall(APICallAction{Body: new(raw(`{"a":1}`))}),
		},
		"a call whose URL was forgotten": {
			spec: apiCall(APICallAction{Method: "POST"}),
			want: []string{"spec.apiCall.url: Required value: a call needs it; a tracking record has neither method, headers, expectations, poll nor timeoutSeconds"},
		},
		"expectations, a result and redirects": {
			spec: apiCall(APICallAction{
				URL: "https://x", MaxRedirects: new(int32), Result: map[string]string{"v": ".version"},
				Expect: &APICallExpect{Headers: map[string]string{"A": "^b"}, Body: []BodyExpectation{{Path: ".a", Matches: "x"}, {Path: ".b", Equals: new(raw(`1`))}}},
			}),
		},
		"expectations that are none": {
			spec: apiCall(APICallAction{
				URL: "https://x", MaxRedirects: new(int32(11)), Result: map[string]string{"-v": "", "w": ".x"},
				Expect: &APICallExpect{Headers: map[string]string{"A:": "("}, Body: []BodyExpectation{{Matches: "x"}, {Path: ".b", Equals: new(raw(`1`)), Matches: "["}}},
			}),
			want: []string{
				`spec.apiCall.expect.headers[A:]: Invalid value: "A:": is not a valid header name`,
				"spec.apiCall.expect.headers[A:]: Invalid value: \"(\": error parsing regexp: missing closing ): `(`",
				"spec.apiCall.expect.body[0].path: Required value: say where in the body, e.g. {.status}",
				"spec.apiCall.expect.body[1].matches: Forbidden: not together with equals",
				"spec.apiCall.expect.body[1].matches: Invalid value: \"[\": error parsing regexp: missing closing ]: `[`",
				`spec.apiCall.result[-v]: Invalid value: "-v": must not start with '-'`,
				"spec.apiCall.result[-v]: Required value: say where in the body, e.g. {.status}",
				"spec.apiCall.maxRedirects: Invalid value: 11: must be between 0 and 10",
			},
		},
		"a scheme that is not HTTP": {
			spec: apiCall(APICallAction{URL: "file:///etc/passwd"}),
			want: []string{`spec.apiCall.url: Invalid value: "file:///etc/passwd": must start with http:// or https://`},
		},
		"a URL without host": {
			spec: apiCall(APICallAction{URL: "http://:80/"}),
			want: []string{`spec.apiCall.url: Invalid value: "http://:80/": must name a host`},
		},
		"a port out of range": {
			spec: apiCall(APICallAction{URL: "http://a:65536/"}),
			want: []string{`spec.apiCall.url: Invalid value: "http://a:65536/": must have a port between 1 and 65535`},
		},
		"a password is not repeated": {
			spec: apiCall(APICallAction{URL: "http://me:secret@a/"}),
			want: []string{`spec.apiCall.url: Invalid value: "http://me:xxxxx@a/": must not contain user or password; send them in headers.Authorization`},
		},
		"a URL that cannot be parsed is not repeated": {
			spec: apiCall(APICallAction{URL: "http://me:secret@a/%zz"}),
			want: []string{"spec.apiCall.url: Invalid value: has a % that two hexadecimal digits must follow: write %25 for a percent sign"},
		},
		"a method in lower case": {
			spec: apiCall(APICallAction{URL: "http://a", Method: "get"}),
			want: []string{`spec.apiCall.method: Unsupported value: "get": supported values: "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"`},
		},
		"headers that are not the author's": {
			spec: apiCall(APICallAction{URL: "http://a", Headers: map[string]HeaderValue{"host": {Value: "b"}, "TE": {Value: "trailers"}, "jobwright-attempt": {Value: "1"}, "idempotency-key": {Value: "1"}, "X-Fine": {Value: ""}}}),
			want: []string{
				"spec.apiCall.headers[host]: Forbidden: Host follows from url",
				"spec.apiCall.headers[jobwright-attempt]: Forbidden: Jobwright-Attempt is set to the attempt's number",
				"spec.apiCall.headers[TE]: Forbidden: Te belongs to one connection and is set by it",
			},
		},
		"secrets in headers and body": {
			spec: apiCall(APICallAction{
				URL: "http://a", Headers: map[string]HeaderValue{"Authorization": {ValueFrom: &ValueSource{SecretRef: "token"}}},
				Body: new(raw(`{"a":[{"valueFrom":{"secretRef":"one"}}],"valueFrom":{"fieldRef":"x"},"b":{"valueFrom":{"secretRef":"two"}}}`)),
			}),
		},
		"secrets without a name": {
			spec: apiCall(APICallAction{URL: "http://a", Headers: map[string]HeaderValue{"X": {ValueFrom: &ValueSource{}}}, Body: new(raw(`{"a":{"valueFrom":{"secretRef":""}}}`))}),
			want: []string{
				"spec.apiCall.headers[X].valueFrom.secretRef: Required value: name a secret of the operator's file",
				"spec.apiCall.body: Invalid value: a: a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string",
			},
		},
		"a reference with more in it": {
			spec: apiCall(APICallAction{URL: "http://a", Body: new(raw(`{"a":{"valueFrom":{"secretRef":"x"},"b":1}}`))}),
			want: []string{"spec.apiCall.body: Invalid value: a: a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string"},
		},
		"a poll with everything": {
			spec: apiCall(APICallAction{URL: "http://a", Poll: &APICallPoll{
				URL: "/v1/{.name}", IntervalSeconds: new(int32(1)), TimeoutSeconds: new(int32(60)),
				Done: []BodyExpectation{{Path: ".done", Equals: new(raw(`true`))}}, Failed: []BodyExpectation{{Path: ".error"}},
			}}),
		},
		"a poll out of bounds": {
			spec: apiCall(APICallAction{URL: "http://a", Poll: &APICallPoll{
				IntervalSeconds: new(int32(0)), TimeoutSeconds: new(int32(2_592_001)), Done: []BodyExpectation{{}}, Failed: []BodyExpectation{{Path: ".a", Matches: "["}},
			}}),
			want: []string{
				"spec.apiCall.poll.intervalSeconds: Invalid value: 0: must be between 1 and 3600",
				"spec.apiCall.poll.timeoutSeconds: Invalid value: 2592001: must be between 1 and 2592000",
				"spec.apiCall.poll.done[0].path: Required value: say where in the body, e.g. {.status}",
				"spec.apiCall.poll.failed[0].matches: Invalid value: \"[\": error parsing regexp: missing closing ]: `[`",
			},
		},
		"headers that are no headers": {
			spec: apiCall(APICallAction{URL: "http://a", Headers: map[string]HeaderValue{"": {Value: ""}, "A B": {Value: ""}, "X-A": {Value: "secret\r\nX-B: 1"}, "x-a": {Value: ""}}}),
			want: []string{
				`spec.apiCall.headers[]: Invalid value: "": is not a valid header name`,
				`spec.apiCall.headers[A B]: Invalid value: "A B": is not a valid header name`,
				"spec.apiCall.headers[X-A]: Invalid value: the value must not contain control characters",
				`spec.apiCall.headers[x-a]: Duplicate value: "X-A"`,
			},
		},
		"status codes that no response ends with": {
			spec: apiCall(APICallAction{URL: "http://a", ExpectStatus: []int32{100, 200, 200, 600}}),
			want: []string{
				"spec.apiCall.expectStatus[0]: Invalid value: 100: must be between 200 and 599",
				"spec.apiCall.expectStatus[2]: Duplicate value: 200",
				"spec.apiCall.expectStatus[3]: Invalid value: 600: must be between 200 and 599",
			},
		},
		"a timeout out of range": {
			spec: apiCall(APICallAction{URL: "http://a", TimeoutSeconds: new(int32(0))}),
			want: []string{"spec.apiCall.timeoutSeconds: Invalid value: 0: must be between 1 and 3600"},
		},
	})
}

func TestUnsupportedFieldsAreRefused(t *testing.T) {
	full := newJob(func(j *Job) {
		j.Spec.DependsOn = []JobDependency{{Name: "other"}}
		j.Spec.StartAfter = &metav1.Time{Time: time.Unix(0, 0)}
		j.Spec.Suspend = true
		j.Spec.BackoffLimit = new(int32(1))
		j.Spec.Backoff = &Backoff{}
		j.Spec.FailurePolicy = &FailurePolicy{Rules: []FailureRule{{Action: FailurePolicyCount, IsError: new(true)}}}
		j.Spec.StartDeadlineSeconds = new(int64(1))
		j.Spec.IdleTimeoutSeconds = new(int64(1))
		j.Spec.AttemptTimeoutSeconds = new(int64(1))
		j.Spec.Concurrency = &Concurrency{Key: "k"}
		j.Spec.RateLimit = &RateLimit{Key: "k", PerSeconds: 1}
		j.Spec.OnInterruption = InterruptionRerun
		j.Spec.UpdatePolicy = UpdateIgnore
		j.Spec.Reruns = 1
		j.Spec.ForceFinish = &ForceFinish{Phase: JobFailed, Message: "x"}
		j.Spec.TTLSecondsAfterFinished = &TTLSeconds{}
	})
	var want []string
	for _, f := range unsupportedJobFields() {
		want = append(want, "spec."+f.field+": Forbidden: not supported yet")
	}
	if diff := cmp.Diff(want, messages(ValidateJob(full))); diff != "" {
		t.Errorf("a job with every field (-want +got):\n%s", diff)
	}
	same := newJob(func(j *Job) { j.Spec.BackoffLimit = new(int32(0)); j.Spec.FailurePolicy = &FailurePolicy{} })
	if errs := ValidateJob(same); errs != nil {
		t.Errorf("a job whose values mean the same as unset: %v", errs)
	}
}

// BenchmarkValidateJob is what every create pays before the store sees it.
func BenchmarkValidateJob(b *testing.B) {
	j := newJob(nil)
	for b.Loop() {
		if errs := ValidateJob(j); errs != nil {
			b.Fatal(errs)
		}
	}
}
