package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/store/uri"
	"mizzen.dev/internal/termination"
)

// Error says what is wrong with a value, and where it was set.
type Error struct {
	// Where is such as --port, the variable PORT, or line 3 of mizzen.yaml.
	Where string
	Err   error
}

func (e *Error) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Flags are the flags of a command, before they are parsed into a [Config].
type Flags struct {
	set    *pflag.FlagSet
	file   string
	values map[string]*text
}

// text is the value of a flag, not yet understood. It implements pflag.Value.
type text struct {
	value, kind string
}

func (t *text) String() string     { return t.value }
func (t *text) Type() string       { return t.kind }
func (t *text) Set(s string) error { t.value = s; return nil }

// AddFlags adds a flag for each field, and --config.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set, values: map[string]*text{}}
	set.StringVar(&f.file, "config", "", "YAML file with any of these settings, by the names of the flags ($"+FileEnv+")")
	defaults := Default()
	for _, field := range Fields() {
		if field.Secret {
			continue
		}
		value := &text{value: field.Value(defaults), kind: kindName(field.target(defaults))}
		flag := set.VarPF(value, field.Name, "", field.Usage+" ($"+field.Env+")")
		if field.IsBool() {
			flag.NoOptDefVal = "true"
		}
		if strings.Contains(field.Usage, "(default") {
			flag.DefValue = "" // the usage says it better
		}
		f.values[field.Name] = value
	}
	return f
}

// Load makes the configuration: defaults, then the file, then the environment
// (as os.Environ has it), then the flags; the last one counts. The argument of
// the command, if there is one, is stronger than all. What is wrong is an *Error.
func (f *Flags) Load(argument string, environ []string) (*Config, error) {
	env := environment(environ)
	c := Default()
	file := f.file
	if file == "" {
		file = env[FileEnv]
	}
	if file != "" {
		if err := loadFile(c, file); err != nil {
			return nil, err
		}
	}
	if err := loadEnv(c, env); err != nil {
		return nil, err
	}
	for _, field := range Fields() {
		if flag := f.set.Lookup(field.Name); !field.Secret && flag != nil && flag.Changed {
			if err := field.Set(c, f.values[field.Name].value); err != nil {
				return nil, &Error{Where: "--" + field.Name, Err: err}
			}
		}
	}
	if argument != "" {
		if f.set.Changed("model") && c.Path != argument {
			return nil, &Error{Where: "--model", Err: fmt.Errorf("the argument %s says something else; leave out one of them", argument)}
		}
		c.Path, c.URL = argument, ""
		if isURL(argument) {
			c.Path, c.URL = "", argument
		}
	} else if f.set.Changed("model") && !f.set.Changed("url") {
		c.URL = "" // the environment's: the flag is stronger
	}
	return c, c.Validate()
}

// isURL reports whether s is the address of a model file, and not a path.
func isURL(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && slices.Contains(uri.Schemes(), strings.ToLower(scheme))
}

func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	return env
}

// serviceLink matches the variables that Kubernetes sets in every container for
// each Service of the namespace; a Service called mizzen makes MIZZEN_… of them.
var serviceLink = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func loadEnv(c *Config, env map[string]string) error {
	known := []string{FileEnv, termination.PathEnv}
	for _, field := range Fields() {
		known = append(known, field.Env)
		value, ok := env[field.Env]
		if !ok || value == "" {
			continue
		}
		if err := field.Set(c, value); err != nil {
			if strings.HasPrefix(value, "tcp://") && strings.HasSuffix(field.Env, "PORT") {
				err = fmt.Errorf("Kubernetes set %q for a Service of that name; set enableServiceLinks: false in the pod, or rename the Service", value)
			} else if field.Secret {
				err = errors.New("expected a text, or several with commas between them")
			}
			return &Error{Where: "the variable " + field.Env, Err: err}
		}
	}
	for name := range env {
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !serviceLink.MatchString(name) {
			return &Error{Where: "the variable " + name, Err: errors.New("there is no such setting" + nearest.DidYouMean(name, known))}
		}
	}
	return nil
}

// maxFile bounds the configuration file.
const maxFile = 1 << 20

func loadFile(c *Config, path string) error {
	data, err := readFile(path)
	if err != nil {
		return &Error{Where: "--config", Err: err}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return &Error{Where: path, Err: err}
	}
	if len(doc.Content) == 0 {
		return nil // empty, or nothing but comments
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return &Error{Where: path, Err: errors.New("expected lines of the form name: value")}
	}
	fields := map[string]Field{}
	var known []string
	for _, f := range Fields() {
		fields[f.Name] = f
		known = append(known, f.Name)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		where := fmt.Sprintf("%s, line %d: %s", path, key.Line, key.Value)
		field, ok := fields[key.Value]
		if !ok {
			return &Error{Where: where, Err: errors.New("there is no such setting" + nearest.DidYouMean(key.Value, known))}
		}
		if line, twice := seen[key.Value]; twice {
			return &Error{Where: where, Err: fmt.Errorf("it is set in line %d already", line)}
		}
		seen[key.Value] = key.Line
		text, err := scalar(field, value)
		if err == nil {
			err = field.Set(c, text)
		}
		if err != nil && field.Secret {
			err = errors.New("expected a text, or a list of texts")
		}
		if err != nil {
			return &Error{Where: where, Err: err}
		}
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return data, err
}

// scalar returns the text of a value: a scalar, or a list of them where the
// field is a list.
func scalar(field Field, value *yaml.Node) (string, error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch value.Kind {
	case yaml.ScalarNode:
		if value.Tag == "!!null" {
			return "", errors.New("it has no value; leave the line out for the default")
		}
		return value.Value, nil
	case yaml.SequenceNode:
		if _, list := field.target(&Config{}).(*[]string); !list {
			return "", errors.New("expected one value, found a list")
		}
		var items []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("expected a list of texts")
			}
			items = append(items, item.Value)
		}
		return strings.Join(items, ","), nil
	}
	return "", errors.New("expected a value, found a mapping")
}
