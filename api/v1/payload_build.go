package v1

// buildIdleTimeoutSeconds is the idle limit of a build that sets none: three times the
// longest silence of an installer that works (npx behind a slow registry), and short
// enough that a tool that hangs is found out within the quarter of an hour.
const buildIdleTimeoutSeconds = 900

func buildPayload() Payload {
	return DefinePayload(Payload{
		Type: JobTypeBuild, Field: "build", Command: "build", Title: "Build", About: "call a tool of an MCP server",
		Facts:              []Fact{FactHTTPStatus, FactToolError, FactRPCCode},
		IdleTimeoutSeconds: buildIdleTimeoutSeconds,
		IdleLimit: func(*JobSpec) string {
			return "none (the job is from before there was a default; spec.idleTimeoutSeconds sets one)"
		},
	}, PayloadStrategy[BuildAction]{
		In:       func(s *JobSpec) **BuildAction { return &s.Build },
		Validate: validateBuild,
		KeepTexts: func(b, was *BuildAction) {
			keepTextsIn(b.Variables, was.Variables)
			keepTextsIn(b.Arguments, was.Arguments)
			keepTextsIn(b.Answers, was.Answers)
		},
	})
}
