package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// load runs a command line in an environment; file is the configuration file's
// text, if it is not empty.
func load(t *testing.T, file string, environ []string, args ...string) (*Config, error) {
	t.Helper()
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags := AddFlags(set)
	if file != "" {
		path := filepath.Join(t.TempDir(), "mizzen.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags.Load(set.Arg(0), environ)
}

func TestPrecedence(t *testing.T) {
	const file = "port: 7001\ngrpc-port: 7002\ndrain-delay: 7s\n"
	tests := map[string]struct {
		file    string
		environ []string
		args    []string
		want    func(*Config)
	}{
		"nothing":                          {want: func(*Config) {}},
		"file":                             {file: file, want: func(c *Config) { c.Port, c.GRPCPort, c.DrainDelay = 7001, 7002, 7*time.Second }},
		"environment over file":            {file: file, environ: []string{"PORT=8001", "DRAIN_DELAY=8s"}, want: func(c *Config) { c.Port, c.GRPCPort, c.DrainDelay = 8001, 7002, 8*time.Second }},
		"flag over both":                   {file: file, environ: []string{"PORT=8001"}, args: []string{"--port", "9001"}, want: func(c *Config) { c.Port, c.GRPCPort, c.DrainDelay = 9001, 7002, 7*time.Second }},
		"flag that says the default":       {environ: []string{"PORT=8001"}, args: []string{"--port=5000"}, want: func(*Config) {}},
		"empty variable":                   {file: file, environ: []string{"PORT="}, want: func(c *Config) { c.Port, c.GRPCPort, c.DrainDelay = 7001, 7002, 7*time.Second }},
		"argument over MODEL_PATH":         {environ: []string{"MODEL_PATH=/a", "MODEL_URL=http://h/a"}, args: []string{"/b"}, want: func(c *Config) { c.Path = "/b" }},
		"MODEL_PATH keeps MODEL_URL":       {environ: []string{"MODEL_PATH=/a", "MODEL_URL=http://h/a"}, want: func(c *Config) { c.Path, c.URL = "/a", "http://h/a" }},
		"argument is a URL":                {environ: []string{"MODEL_PATH=/a"}, args: []string{"https://h/a.pkl"}, want: func(c *Config) { c.URL = "https://h/a.pkl" }},
		"several keys":                     {environ: []string{"API_KEY=one, two\nthree"}, want: func(c *Config) { c.APIKeys = []string{"one", "two", "three"} }},
		"list in the file":                 {file: "api-keys: [one, two]\ncors-origins:\n- https://a.example\n", want: func(c *Config) { c.APIKeys, c.CORS = []string{"one", "two"}, []string{"https://a.example"} }},
		"nothing is exempt":                {args: []string{"--auth-exempt="}, want: func(c *Config) { c.AuthExempt = []string{} }},
		"sizes and switches":               {environ: []string{"MIZZEN_MAX_BODY=1.5 MB", "MIZZEN_ACCESS_LOG=1"}, args: []string{"--allow-load=false", "--grpc=false"}, want: func(c *Config) { c.MaxBody, c.AccessLog, c.GRPC = 1_500_000, true, false }},
		"only comments":                    {file: "# nothing\n", want: func(*Config) {}},
		"Kubernetes' variables of mizzen":  {environ: []string{"MIZZEN_SERVICE_HOST=10.0.0.1", "MIZZEN_SERVICE_PORT_HTTP=80", "MIZZEN_PORT=tcp://10.0.0.1:80", "MIZZEN_PORT_80_TCP_ADDR=10.0.0.1"}, want: func(*Config) {}},
		"variables of others do not count": {environ: []string{"PROT=1", "MIZZENX=1", "broken"}, want: func(*Config) {}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := Default()
			test.want(want)
			got, err := load(t, test.file, test.environ, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		file    string
		environ []string
		args    []string
		want    string // part of the message
	}{
		"unknown key":            {file: "prot: 1\n", want: "line 1: prot: there is no such setting; did you mean port?"},
		"unknown variable":       {environ: []string{"MIZZEN_SHUTDOWN_TIMOUT=1s"}, want: "the variable MIZZEN_SHUTDOWN_TIMOUT: there is no such setting; did you mean MIZZEN_SHUTDOWN_TIMEOUT?"},
		"key twice":              {file: "port: 1\nport: 2\n", want: "it is set in line 1 already"},
		"key without value":      {file: "port:\n", want: "it has no value"},
		"mapping":                {file: "port: {a: 1}\n", want: "expected a value, found a mapping"},
		"list for one value":     {file: "port: [1]\n", want: "expected one value, found a list"},
		"not a mapping":          {file: "- port\n", want: "expected lines of the form name: value"},
		"broken YAML":            {file: "port: [\n", want: "mizzen.yaml"},
		"no such file":           {args: []string{"--config", "/nowhere.yaml"}, want: "--config"},
		"no number":              {args: []string{"--port", "http"}, want: `--port: "http" is no whole number`},
		"port out of range":      {environ: []string{"PORT=70000"}, want: "port: 70000 is no port"},
		"service link":           {environ: []string{"GRPC_PORT=tcp://10.0.0.1:9000"}, want: "enableServiceLinks: false"},
		"no unit":                {environ: []string{"DRAIN_DELAY=5"}, want: `"5" has no unit; write 5s for seconds`},
		"no duration":            {environ: []string{"DRAIN_DELAY=soon"}, want: `"soon" is no duration`},
		"negative":               {args: []string{"--drain-delay=-1s"}, want: "drain-delay: it cannot be negative"},
		"no size":                {args: []string{"--max-body", "10 potatoes"}, want: "is no size"},
		"no bound":               {args: []string{"--read-timeout", "0"}, want: "read-timeout: it must be more than 0"},
		"too small":              {args: []string{"--max-rows", "0"}, want: "max-rows: it must be at least 1"},
		"neither true nor false": {args: []string{"--access-log=maybe"}, want: "neither true nor false"},
		"one of a few":           {args: []string{"--log-format", "xml"}, want: `log-format: "xml" is none of auto, text, json`},
		"same port twice":        {args: []string{"--port", "9000"}, want: "grpc-port: HTTP has port 9000 already"},
		"half of TLS":            {args: []string{"--tls-cert", "a"}, want: "TLS needs both"},
		"bad digest":             {environ: []string{"MODEL_DIGEST=sha256:12"}, want: "is no digest"},
		"bad name":               {environ: []string{"MODEL_NAME=a/b"}, want: "cannot be part of a path"},
		"bad URL":                {environ: []string{"MODEL_URL=s3://bucket"}, want: "url: expected s3://BUCKET/KEY"},
		"no store":               {environ: []string{"MODEL_URL=ftp://host/a"}, want: `url: there is no store "ftp"`},
		"two models":             {args: []string{"--model", "/a", "/b"}, want: "leave out one of them"},
		"unknown group":          {args: []string{"--auth-exempt", "probe"}, want: `there is no "probe"; did you mean probes?`},
		"keys that are none":     {environ: []string{"API_KEY= , \n"}, want: "the variable API_KEY: expected a text"},
		"list of nothing":        {args: []string{"--cors-origins", ","}, want: `--cors-origins: "," holds nothing`},
		"load without a key":     {args: []string{"--allow-load"}, want: "needs an API key"},
		"bad origin":             {args: []string{"--cors-origins", "example.com"}, want: "is no origin"},
		"reload too often":       {args: []string{"--reload-interval", "1ms"}, want: "reload-interval"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.file, test.environ, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

// A key that was written in the wrong place must not end in a log.
func TestErrorsKeepSecrets(t *testing.T) {
	_, err := load(t, "api-keys: {hush: 1}\n", nil)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	AddFlags(set)
	if set.Lookup("api-keys") != nil {
		t.Error("a secret has a flag: a command line can be read by others")
	}
}

// TestFields checks the table: names are unique, each default can be written and
// read back, and no field of Config is forgotten.
func TestFields(t *testing.T) {
	names, envs := map[string]bool{}, map[string]bool{}
	targets := map[uintptr]bool{}
	c, defaults := Default(), Default()
	for _, f := range Fields() {
		if names[f.Name] || envs[f.Env] || f.Usage == "" || f.Section == "" {
			t.Errorf("%s (%s) is there twice, or says nothing", f.Name, f.Env)
		}
		names[f.Name], envs[f.Env] = true, true
		targets[reflect.ValueOf(f.target(c)).Pointer()] = true
		if err := f.Set(c, f.Value(defaults)); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if diff := cmp.Diff(defaults, c, cmp.Comparer(func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") })); diff != "" {
		t.Errorf("defaults read back: -want +got:\n%s", diff)
	}
	for _, p := range leaves(reflect.ValueOf(c).Elem()) {
		if !targets[p.Pointer()] {
			t.Errorf("a field of type %s cannot be configured", p.Type())
		}
	}
}

// leaves returns pointers to the fields of a struct that are no structs.
func leaves(v reflect.Value) []reflect.Value {
	var out []reflect.Value
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			out = append(out, leaves(f)...)
		} else {
			out = append(out, f.Addr())
		}
	}
	return out
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "1": 1, "10MiB": 10 << 20, "10 mib": 10 << 20, "10M": 10 << 20, "2K": 2048, "1.5KB": 1500, "1GB": 1e9, "7B": 7} {
		got, err := ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
		if again, err := ParseBytes(got.String()); err != nil || again != got {
			t.Errorf("%q: %s is read back as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1e", "1 XB", "NaN", "9999999999GiB"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
