package v1

// DeployVerb is an operation of docker compose.
// +kubebuilder:validation:Enum=up;down;build;pull;ps;logs;restart;stop;start;config;rollback
type DeployVerb string

// The verbs that a deploy may use.
const (
	DeployUp      DeployVerb = "up"
	DeployDown    DeployVerb = "down"
	DeployBuild   DeployVerb = "build"
	DeployPull    DeployVerb = "pull"
	DeployPs      DeployVerb = "ps"
	DeployLogs    DeployVerb = "logs"
	DeployRestart DeployVerb = "restart"
	DeployStop    DeployVerb = "stop"
	DeployStart   DeployVerb = "start"
	DeployConfig  DeployVerb = "config"
	// DeployRollback brings a kept revision of the project back; it is none of compose's.
	DeployRollback DeployVerb = "rollback"
)

// DeployVerbs lists every verb, in the order in which errors name them.
func DeployVerbs() []DeployVerb {
	return []DeployVerb{
		DeployUp, DeployDown, DeployBuild, DeployPull, DeployPs, DeployLogs,
		DeployRestart, DeployStop, DeployStart, DeployConfig, DeployRollback,
	}
}

// DeployAction is one run of docker compose.
type DeployAction struct {
	// verb is the compose operation. Required.
	Verb DeployVerb `json:"verb"`

	// composePath is the compose file, relative to one of the operator's
	// --compose-root folders (or absolute and below one). Symbolic links are
	// resolved for the check alone. One of compose's default names stands for what
	// compose itself chooses in that folder: the files that COMPOSE_FILE in its .env
	// names, or the file and its compose.override.yml. Unset: the file with such a
	// name in the first root that has one.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ComposePath string `json:"composePath,omitempty"`

	// composePaths are several compose files, laid over each other in this order;
	// the first one decides the project's folder. Not together with composePath.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=4096
	// +listType=atomic
	ComposePaths []string `json:"composePaths,omitempty"`

	// projectName is compose's project. Required with verb rollback. Unset: compose's
	// own rule (the file's top-level name, else the name of its folder).
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9_-]*$`
	ProjectName string `json:"projectName,omitempty"`

	// services limits the operation to these services. Unset: all of them.
	// +optional
	// +kubebuilder:validation:MaxItems=200
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[^-]`
	// +listType=set
	Services []string `json:"services,omitempty"`

	// profiles are the compose profiles to enable. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[^-]`
	// +listType=set
	Profiles []string `json:"profiles,omitempty"`

	// extraArgs are further flags of the verb, each from the allow-list of that
	// verb, e.g. ["--force-recreate"]. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=4096
	ExtraArgs []string `json:"extraArgs,omitempty"`

	// env are variables that compose gets, for the ${NAME} of the compose file and for
	// services that pass them on. Not with verb rollback. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Env []DeployEnv `json:"env,omitempty"`

	// rollback says what a failed attempt does: OnFailure brings the project's last good
	// revision back and ends the attempt Failed with reason RolledBack (RollbackFailed
	// when that fails too), Never leaves the project as it is. With verb up only.
	// Unset: Never.
	// +optional
	Rollback RollbackPolicy `json:"rollback,omitempty"`

	// revision is the number of the revision that verb rollback brings back, one that
	// jobwright revisions lists. With verb rollback only. Unset: the one before the
	// newest.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Revision *int64 `json:"revision,omitempty"`

	// health says when the services count as up. Only with the verbs up, start and
	// restart. Unset: as its fields say.
	// +optional
	Health *DeployHealth `json:"health,omitempty"`

	// limits are how long each stage may go on without any progress. Only with the
	// verbs up, start and restart. Unset: as its fields say.
	// +optional
	Limits *DeployLimits `json:"limits,omitempty"`
}

// RollbackPolicy says what becomes of a project whose deploy has failed.
// +kubebuilder:validation:Enum=OnFailure;Never
type RollbackPolicy string

// The rollback policies.
const (
	RollbackOnFailure RollbackPolicy = "OnFailure"
	RollbackNever     RollbackPolicy = "Never"
)

// DeployEnv is one variable of a deploy: a plain value, or one that the operator keeps.
type DeployEnv struct {
	// name is the variable's: letters, digits and '_'. What would change docker, compose
	// or Jobwright itself (PATH, DOCKER_HOST, COMPOSE_FILE …) is refused. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`

	// value is a plain value; it is kept with the job and may be read by everyone who may
	// read the job. Unset, with valueFrom unset: the empty text.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`

	// valueFrom names where the value comes from. Not together with value.
	// +optional
	ValueFrom *ValueSource `json:"valueFrom,omitempty"`
}

// DeployHealth says when the services of a deploy count as up.
type DeployHealth struct {
	// stableSeconds is how long a container without a health check must have run
	// since it was started before it counts as up; also one with a health check, when
	// it has been restarted during the deploy. 0: it is enough that it runs. Unset: 5.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	StableSeconds *int32 `json:"stableSeconds,omitempty"`

	// maxRestarts is how often the engine may restart a container during the deploy,
	// by the restart policy of its compose file. One more is a crash loop and fails the
	// deploy. Unset: 5.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxRestarts *int32 `json:"maxRestarts,omitempty"`

	// probe is asked once every service is up, until it answers as expected or
	// limits.healthSeconds have passed. Unset: nothing is asked.
	// +optional
	Probe *HTTPProbe `json:"probe,omitempty"`

	// services are exceptions, by the service's name in the compose file. A name that
	// is no service of the deploy fails it. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxProperties=200
	Services map[string]ServiceHealth `json:"services,omitempty"`
}

// ServiceHealth says when one service of a deploy counts as up.
type ServiceHealth struct {
	// stableSeconds stands for the one of all services. Unset: that one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	StableSeconds *int32 `json:"stableSeconds,omitempty"`

	// maxRestarts stands for the one of all services. Unset: that one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxRestarts *int32 `json:"maxRestarts,omitempty"`

	// expect is what the service's containers are expected to do. Unset: to run (and
	// be healthy, where they have a health check), or to have ended with exit code 0
	// when they have no restart policy that would start them again.
	// +optional
	Expect ServiceExpectation `json:"expect,omitempty"`
}

// ServiceExpectation is what the containers of a service are expected to do.
// +kubebuilder:validation:Enum=Running;Completed;Any
type ServiceExpectation string

// The expectations.
const (
	// ExpectRunning: to run; one that has ended, with whatever exit code, is a failure.
	ExpectRunning ServiceExpectation = "Running"
	// ExpectCompleted: to end with exit code 0; that is waited for.
	ExpectCompleted ServiceExpectation = "Completed"
	// ExpectAny: to run, or to have ended with any exit code.
	ExpectAny ServiceExpectation = "Any"
)

// ServiceExpectations lists every expectation, in the order in which errors name them.
func ServiceExpectations() []ServiceExpectation {
	return []ServiceExpectation{ExpectRunning, ExpectCompleted, ExpectAny}
}

// HTTPProbe is a GET request that tells whether an application works.
type HTTPProbe struct {
	// url is the absolute http or https URL to ask, without user and password.
	// Redirects are not followed. It may lead to public addresses; to the loopback
	// address at a port that a container of the deploy publishes there; and wherever
	// the operator lets api_call go. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	URL string `json:"url"`

	// expectStatus lists the status codes that mean that it works. Unset: any 2xx.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:Minimum=200
	// +kubebuilder:validation:items:Maximum=599
	// +listType=set
	ExpectStatus []int32 `json:"expectStatus,omitempty"`
}

// DeployLimits are how long each stage of a deploy may go on without any progress.
// None of them bounds a stage that gets on; attemptTimeoutSeconds bounds the whole.
type DeployLimits struct {
	// pullSeconds is how long pulling images may get nowhere. With --quiet-pull, which
	// tells no progress, it is how long pulling may take. Unset: 300.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	PullSeconds *int32 `json:"pullSeconds,omitempty"`

	// buildSeconds is how long building images may say nothing. Unset: 900.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	BuildSeconds *int32 `json:"buildSeconds,omitempty"`

	// startSeconds is how long reading the compose file, and then creating, stopping
	// and starting containers, may get nowhere. Unset: 120.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	StartSeconds *int32 `json:"startSeconds,omitempty"`

	// healthSeconds is how long no service's state may change while some are not up
	// yet, and how long health.probe may take to be answered as expected. Unset: 300.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	HealthSeconds *int32 `json:"healthSeconds,omitempty"`
}
