package compose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestPasswordsOfPrivateFilesAreShownToNobody deploys a project with passwords in .env and in
// an env_file, rotates both, and reads everything that there is to read.
func TestPasswordsOfPrivateFilesAreShownToNobody(t *testing.T) {
	s := onPlayground(t, "")
	root := s.r.roots[0].given
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passwords := func(n string) {
		write(".env", "DB_PASSWORD=S3cretFromDotEnv"+n+"\nLICENCE=a-long-licence-"+n+"\nTAG=v2\nPORT=80800808\n")
		write("db.env", "POSTGRES_PASSWORD=N3wSecret"+n+"\n")
	}
	s.file("  db: {image: '" + image + "', command: [forever, '${LICENCE}', '${TAG}', '${PORT}'], env_file: [db.env], stop_grace_period: 1s, " +
		"environment: {DSN: 'postgres://app:${DB_PASSWORD}@db/app', INLINE_TOKEN: in-the-file}, configs: [motd]}\nconfigs:\n  motd: {content: 'inline ${DB_PASSWORD}'}\n")
	passwords("1")
	s.mustUp()
	log := s.log
	passwords("2")
	s.mustUp()
	log += s.log
	for _, args := range [][]string{nil, {"--format", "json"}} {
		if o := s.run("acme", v1.DeployConfig, func(d *v1.DeployAction) { d.ExtraArgs = args }); o.Verdict != action.Succeeded {
			t.Fatalf("config: %+v\n%s", o, s.log)
		}
		log += s.log
	}
	history, err := s.r.revisions.History("acme", s.name)
	if err != nil || len(history) != 2 {
		t.Fatalf("%+v, %v", history, err)
	}
	plan, err := s.r.Plan(t.Context(), s.attempt(v1.DeployUp).Job)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal([]any{history, plan})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"S3cretFromDotEnv", "N3wSecret", "a-long-licence", "in-the-file"} {
		for where, text := range map[string]string{"revisions and plan": string(shown), "logs": log} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s: %s", where, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
	if !strings.Contains(history[0].Diff, "DSN: '***'") || !strings.Contains(history[0].Diff, "DSN: '*** (2)'") {
		t.Errorf("that the value has changed is not seen:\n%s", history[0].Diff)
	}
	for _, open := range []string{"v2", "80800808"} {
		if !strings.Contains(history[0].Compose, open) {
			t.Errorf("%s is nothing to hide:\n%s", open, history[0].Compose)
		}
	}
	// The rollback has the very values.
	if o := s.run("acme", v1.DeployRollback, nil); o.Verdict != action.Succeeded {
		t.Fatalf("rollback: %+v\n%s", o, s.log)
	}
	ids, _, _ := s.runs("db")
	if env := s.docker("inspect", "--format={{.Config.Env}} {{.Args}}", ids[0]); !strings.Contains(env, "S3cretFromDotEnv1@") || !strings.Contains(env, "N3wSecret1") || !strings.Contains(env, "a-long-licence-1") {
		t.Errorf("brought back with %s", env)
	}
	if info, err := os.Stat(s.r.revisions.Path(s.name, 1)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
