package v1

func deployPayload() Payload {
	return DefinePayload(Payload{
		Type: JobTypeDeploy, Field: "deploy", Command: "deploy", Title: "Deploy", About: "run docker compose",
		Facts:     []Fact{FactExitCode},
		IdleLimit: func(*JobSpec) string { return "those of its stages (spec.deploy.limits)" },
	}, PayloadStrategy[DeployAction]{
		In:       func(s *JobSpec) **DeployAction { return &s.Deploy },
		Validate: validateDeploy,
	})
}
