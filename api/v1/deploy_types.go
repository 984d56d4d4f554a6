package v1

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
