package secrets_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"jobwright.dev/controller/action/secrets"
)

func load(t *testing.T, text string) (*secrets.Set, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return secrets.Load(path)
}

func TestWhereValuesComeFromAndWhoMayUseThem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("A_SECRET", "from the environment")
	set, err := load(t, "db: {file: "+file+"}\ntoken: {env: A_SECRET}\ndemo: {value: as it stands, workspaces: [acme]}\ngone: {env: NO_SUCH_VARIABLE}\nnofile: {file: /no/such/file}\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ workspace, secret, want, err string }{
		"a file, without its last line end": {"acme", "db", "from a file", ""},
		"the server's environment":          {"acme", "token", "from the environment", ""},
		"as it stands":                      {"acme", "demo", "as it stands", ""},
		"of another workspace":              {"other", "demo", "", `no such secret: "demo"; workspace other has: db, gone, nofile, token`},
		"unknown":                           {"acme", "nothing", "", `no such secret: "nothing"; workspace acme has: db, demo, gone, nofile, token`},
		"a variable that is not set":        {"acme", "gone", "", "secret gone: the server's environment has no NO_SUCH_VARIABLE"},
		"a file that is not there":          {"acme", "nofile", "", "secret nofile: its file cannot be read: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := set.Lookup(tc.workspace, tc.secret)
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Fatalf("error %v, want %s", err, tc.err)
				}
				return
			}
			if got != tc.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, tc.want)
			}
		})
	}
	beside := filepath.Join(filepath.Dir(file), "secrets.yaml")
	if err := os.WriteFile(beside, []byte("db: {file: db}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if relative, err := secrets.Load(beside); err != nil {
		t.Error(err)
	} else if got, err := relative.Lookup("acme", "db"); got != "from a file" || err != nil {
		t.Errorf("a file beside the operator's: %q, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("rotated"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Lookup("acme", "db"); got != "rotated" || err != nil {
		t.Errorf("after a change of the file: %q, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Lookup("acme", "db"); err == nil || strings.Contains(err.Error(), "abc") {
		t.Errorf("a value that is too short: %v", err)
	}
	var none *secrets.Set
	if _, err := none.Lookup("acme", "db"); !errors.Is(err, secrets.ErrUnknown) || !strings.Contains(err.Error(), "--secrets") {
		t.Errorf("without a file: %v", err)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"no map":                 {"- hidden-value", "must be a map of names"},
		"an unknown key":         {"db: {valeu: hidden-value}", "must be a map of names"},
		"nothing set":            {"db: {}", "db: set exactly one of value, env and file"},
		"two set":                {"db: {env: A, value: hidden-value}", "db: set exactly one of value, env and file"},
		"a value too short":      {"db: {value: abc}", "secret db has less than 4 bytes"},
		"a value with zero byte": {`db: {value: "hidden-value\0"}`, "secret db has a zero byte"},
		"a name that is none":    {"db/x: {value: hidden-value}", `"db/x" is no name`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hidden-value") {
				t.Errorf("the error has the value: %v", err)
			}
		})
	}
	if _, err := secrets.Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestNamesOfSecrets(t *testing.T) {
	long := strings.Repeat("a", 253)
	for name, valid := range map[string]bool{
		"a": true, "7": true, "DB_url.v-2": true, long: true,
		"-a": false, "a-": false, ".a": false, "a_": false, "a b": false, "ä": false, long + "a": false,
	} {
		if _, err := load(t, fmt.Sprintf("%q: {value: hidden-value}", name)); (err == nil) != valid {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestRedaction(t *testing.T) {
	const odd = `p"a's$s<w>&/ \word`
	marshaled, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(map[string]string{"k": odd})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		values   []string
		in, want string
	}{
		"as it is":                          {[]string{"secret"}, "a secret here, secret", "a *** here, ***"},
		"nothing to redact":                 {[]string{"secret"}, "secre t", "secre t"},
		"the longer of two":                 {[]string{"abcd", "abcdefgh"}, "abcdefgh abcdefg", "*** ***efg"},
		"one within another":                {[]string{"1234ab", "abcd"}, "1234abcd", "***cd"},
		"too short":                         {[]string{"abc"}, "abc", "abc"},
		"as JSON":                           {[]string{odd}, string(marshaled), `"***"`},
		"as YAML":                           {[]string{odd}, string(asYAML), "k: ***\n"},
		"as compose escapes it":             {[]string{"a$bcd"}, "x: a$$bcd", "x: ***"},
		"in a URL":                          {[]string{odd}, "?q=" + url.QueryEscape(odd) + "&p=" + url.PathEscape(odd), "?q=***&p=***"},
		"as base64":                         {[]string{"secret"}, base64.StdEncoding.EncodeToString([]byte("secret")), "***"},
		"cut off in a table":                {[]string{`sec"ret`}, "x sec\"… y sec\\\"… z", "x *** y *** z"},
		"each line of one that has several": {[]string{"first line\nsecond line\n"}, "out: second line", "out: ***"},
	} {
		t.Run(name, func(t *testing.T) {
			r := secrets.NewRedactor(tc.values...)
			if got := r.String(tc.in); got != tc.want {
				t.Errorf("String = %q, want %q", got, tc.want)
			}
			for how, src := range map[string]io.Reader{
				"in one piece": strings.NewReader(tc.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tc.in)),
				"with its end": iotest.DataErrReader(strings.NewReader(tc.in)),
			} {
				got, err := io.ReadAll(r.Reader(src))
				if err != nil || string(got) != tc.want {
					t.Errorf("%s: %q, %v; want %q", how, got, err, tc.want)
				}
			}
		})
	}
	var none *secrets.Redactor
	if got := none.String("secret"); got != "secret" {
		t.Errorf("a nil Redactor makes %q", got)
	}
}

func TestTheCallersOwnWordsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(path, []byte("mine: {value: my-own-secret, workspaces: [alpha]}\ntheirs: {value: hunter22, workspaces: [beta]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := secrets.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		own      []string
		in, want string
	}{
		"what somebody else says":                  {nil, "the password is hunter22", "the password is ***"},
		"a part of it that somebody else says":     {nil, "hunt… hunter2", "hunt… hunter2"},
		"one's own secret, also cut off":           {nil, "my-own-secret my-own…", "*** ***"},
		"the caller's word":                        {[]string{"app/hunter22.yml"}, "no file app/hunter22.yml", "no file app/hunter22.yml"},
		"the caller's word, and what others say":   {[]string{"app/hunter22.yml"}, "no file app/hunter22.yml; hunter22", "no file app/hunter22.yml; ***"},
		"a word that ends within the secret":       {[]string{"is hunt"}, "it is hunter22", "it is ***"},
		"a word that begins within the secret":     {[]string{"22 of them"}, "hunter22 of them", "*** of them"},
		"a word that is the beginning of a secret": {[]string{"hunter"}, "hunter22 hunter", "*** hunter"},
		"the caller's word as JSON":                {[]string{`a"hunter22`}, `{"x":"a\"hunter22"}`, `{"x":"a\"hunter22"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := set.Redactor("alpha", tc.own)
			if got := r.String(tc.in); got != tc.want {
				t.Errorf("String = %q, want %q", got, tc.want)
			}
			got, err := io.ReadAll(r.Reader(iotest.OneByteReader(strings.NewReader(tc.in))))
			if err != nil || string(got) != tc.want {
				t.Errorf("byte by byte: %q, %v; want %q", got, err, tc.want)
			}
		})
	}
	if got := secrets.NewGuarded(secrets.MinLength, "hunter22").From("").String("hunt… hunter22"); got != "hunt… ***" {
		t.Errorf("Whole makes %q", got)
	}
}

func TestALineIsNotHeldBack(t *testing.T) {
	r, w := io.Pipe()
	out := secrets.NewRedactor("secret").Reader(r)
	go func() { _, _ = w.Write([]byte("a line\n")) }() // ends with the read below
	buf := make([]byte, 100)
	if n, err := out.Read(buf); string(buf[:n]) != "a line\n" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func FuzzReaderEqualsString(f *testing.F) {
	f.Add("secret", "a secret here", 3)
	f.Add("aaaab", "aaaaaaaab", 1)
	f.Fuzz(func(t *testing.T, value, text string, size int) {
		r := secrets.NewRedactor(value)
		var pieces bytes.Buffer
		src := r.Reader(strings.NewReader(text))
		buf := make([]byte, max(1, min(size, 100)))
		if _, err := io.CopyBuffer(struct{ io.Writer }{&pieces}, struct{ io.Reader }{src}, buf); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.String(text), pieces.String()); diff != "" {
			t.Error(diff)
		}
		if len(value) >= secrets.MinLength && strings.TrimSpace(value) == value && strings.Contains(r.String(text), value) && !strings.Contains(secrets.Mask, value) && !strings.Contains(value, "*") {
			t.Errorf("%q is still there", value)
		}
	})
}

func TestHostsThatASecretMayBeSentTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(path, []byte(`{any: {value: anywhere}, some: {value: somewhere, hosts: [a.example, "*.b.example"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := secrets.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"a.example": true, "A.EXAMPLE.": true, "x.b.example": true, "x.y.b.example": true,
		"b.example": false, "xb.example": false, "x.a.example": false, "a.example.evil": false, "": false,
	} {
		if _, err := set.LookupFor("acme", "some", host); (err == nil) != want || err != nil && strings.Contains(err.Error(), "somewhere") {
			t.Errorf("%s: %v, want it allowed %v", host, err, want)
		}
		if _, err := set.LookupFor("acme", "any", host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// TestBase64OfATextAroundAValue: the characters of base64 depend on where in the text a
// value begins.
func TestBase64OfATextAroundAValue(t *testing.T) {
	const value = "pa55word-of-mine"
	hide := secrets.NewRedactor(value)
	for _, before := range []string{"", "u", "me", "me:", "user", "user:", "a longer text"} {
		for _, after := range []string{"", "!", "\n", "and more"} {
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				text := encoding.EncodeToString([]byte(before + value + after))
				hidden := hide.String("<" + text + ">")
				if !strings.Contains(hidden, secrets.Mask) {
					t.Errorf("%s in %q, %q is told: %s", value, before, after, hidden)
				}
				if rest, _, _ := strings.Cut(hidden, secrets.Mask); len(rest) > len(text) {
					t.Errorf("%s", hidden)
				}
			}
		}
	}
	if text := "YWJjZGVmZ2hpamts"; hide.String(text) != text {
		t.Error("another text was taken for it")
	}
}
