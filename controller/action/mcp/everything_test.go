package mcp_test

import (
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
)

// TestEveryToolOfServerEverything calls each tool that the server offers as a job.
func TestEveryToolOfServerEverything(t *testing.T) {
	script := everything(t)
	arguments := map[string]map[string]string{
		"echo":                           {"message": `"hi"`},
		"get-annotated-message":          {"messageType": `"success"`, "includeImage": `true`},
		"get-resource-links":             {"count": `3`},
		"get-resource-reference":         {"resourceType": `"Blob"`, "resourceId": `1`},
		"get-structured-content":         {"location": `"Chicago"`},
		"get-sum":                        {"a": `1`, "b": `2`},
		"gzip-file-as-resource":          {"name": `"a.gz"`, "data": `"data:text/plain;base64,aGk="`, "outputType": `"resource"`},
		"simulate-research-query":        {"topic": `"x"`},
		"trigger-long-running-operation": {"duration": `0.1`, "steps": `2`},
	}
	for name, server := range map[string]func(*testing.T) mcp.Server{
		"stdio": func(*testing.T) mcp.Server {
			return mcp.Server{Type: "stdio", Command: "node", Args: []string{script}, Roots: []string{"/"}}
		},
		"stdio, and it may ask": func(*testing.T) mcp.Server {
			return mcp.Server{Type: "stdio", Command: "node", Args: []string{script}, Elicitation: config.ElicitationDefaults}
		},
		"server-sent events": func(t *testing.T) mcp.Server {
			return mcp.Server{Type: config.TypeSSE, URL: everythingAt(t, "sse") + "/sse"}
		},
		"http": func(t *testing.T) mcp.Server {
			server := everythingOverHTTP(t)
			server.Roots = []string{"/"}
			return server
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, map[string]mcp.Server{"everything": server(t)})
			tools, err := r.Tools(t.Context(), "everything")
			if err != nil || len(tools) < 10 {
				t.Fatalf("tools %v, %v", tools, err)
			}
			for _, tool := range tools {
				build := &v1.BuildAction{Action: tool.Name, Arguments: map[string]v1.JSON{}}
				for key, value := range arguments[tool.Name] {
					build.Arguments[key] = v1.JSON{Raw: []byte(value)}
				}
				rec := newRecorder()
				out := r.Run(t.Context(), attempt(build), rec)
				t.Logf("%s: %s %s", tool.Name, out.Reason, short(out.Message))
				if out.Verdict != action.Succeeded {
					t.Errorf("%s: %+v\n%s", tool.Name, out, strings.Join(rec.lines, "\n"))
				}
				if out.Result == nil && len(out.Artifacts) == 0 {
					t.Errorf("%s: neither a result nor artifacts", tool.Name)
				}
				switch tool.Name {
				case "get-tiny-image":
					if len(out.Artifacts) != 1 || out.Artifacts[0].MimeType != "image/png" || out.Artifacts[0].SizeBytes == 0 {
						t.Errorf("artifacts %+v", out.Artifacts)
					}
				case "get-resource-links":
					if len(out.Artifacts) != 3 || out.Artifacts[0].URI == "" {
						t.Errorf("artifacts %+v", out.Artifacts)
					}
				case "get-structured-content":
					if tool.OutputSchema == nil || !strings.Contains(string(out.Result.Raw), `"temperature"`) {
						t.Errorf("result %s", out.Result.Raw)
					}
				}
			}
		})
	}
}

func short(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
