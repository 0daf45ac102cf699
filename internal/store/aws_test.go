package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cloud is AWS as far as fetching goes: buckets, STS, and what machines and pods get
// credentials from. It checks signatures as AWS documents them.
type cloud struct {
	*httptest.Server
	secrets map[string]string // of the keys that it knows
	roles   []string          // that were assumed, with the key of who did
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{secrets: map[string]string{"AKIA": "hush-secret"}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /models/m.pkl", func(w http.ResponseWriter, r *http.Request) {
		if key := c.signedBy(t, r, "s3", nil); key == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, model)
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := "nobody"
		if action := "Action=AssumeRole&"; strings.Contains(string(body), action) {
			if key = c.signedBy(t, r, "sts", body); key == "" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
		}
		c.assume(w, r, key, body)
	})
	keys := func(w http.ResponseWriter, id string) {
		c.secrets[id] = "hush-secret"
		fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":"hush-secret","Token":"hush-token","Expiration":"2099-01-01T00:00:00Z"}`, id)
	}
	mux.HandleFunc("GET /pod", func(w http.ResponseWriter, r *http.Request) { // EKS Pod Identity, ECS
		if r.Header.Get("Authorization") != "hush-jwt" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		keys(w, "ASIAPOD")
	})
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hush-session") })
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/{role...}", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "hush-session": // version 2 alone
			w.WriteHeader(http.StatusUnauthorized)
		case r.PathValue("role") == "":
			_, _ = io.WriteString(w, "node")
		default:
			keys(w, "ASIANODE")
		}
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// assume gives the credentials of a role.
func (c *cloud) assume(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	role := r.Form.Get("RoleArn")
	text := key + " " + role
	for _, more := range []string{"ExternalId", "RoleSessionName", "DurationSeconds", "WebIdentityToken"} {
		if v := r.Form.Get(more); v != "" && more != "RoleSessionName" {
			text += " " + v
		}
	}
	c.roles = append(c.roles, text)
	id := "ASIA" + strings.ToUpper(role[strings.LastIndexByte(role, '/')+1:])
	c.secrets[id] = "hush-secret"
	action := r.Form.Get("Action")
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId>`+
		`<SecretAccessKey>hush-secret</SecretAccessKey><SessionToken>hush-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action, id)
}

// signedBy returns the key that a request is signed by, empty if it is not, or wrongly:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
func (c *cloud) signedBy(t *testing.T, r *http.Request, service string, body []byte) string {
	fields := map[string]string{}
	for field := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 || scope[3] != service {
		t.Errorf("signed for %v, want %s", scope, service)
		return ""
	}
	if id := scope[0]; strings.HasPrefix(id, "ASIA") && r.Header.Get("X-Amz-Security-Token") != "hush-token" {
		t.Errorf("%s is used without its token", id)
	}
	var headers strings.Builder
	names := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	if !slices.IsSorted(names) {
		t.Errorf("the signed headers are not sorted: %v", names)
	}
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, headers.String(), fields["SignedHeaders"], hexSum(body)}, "\n")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), strings.Join(scope[1:], "/"), hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + c.secrets[scope[0]])
	for _, part := range append(slices.Clone(scope[1:]), toSign) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if hex.EncodeToString(key) != fields["Signature"] {
		t.Errorf("the signature of %s %s by %s is wrong", r.Method, r.URL, scope[0])
		return ""
	}
	return scope[0]
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Credentials of AWS come from wherever its own libraries find them.
func TestAWS(t *testing.T) {
	const arn = "arn:aws:iam::1:role/"
	jwt := write(t, "hush-jwt")
	tests := map[string]struct {
		env         map[string]string // CLOUD stands for its address
		process     map[string]string // the process's own environment, which a library reads
		config      string
		credentials string
		roles       []string // that are assumed, and by whom
	}{
		"keys":                {env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush-secret"}},
		"the default profile": {credentials: "[default]\naws_access_key_id = AKIA\naws_secret_access_key = hush-secret\n"},
		"a profile of the configuration": {env: map[string]string{"AWS_PROFILE": "ml"},
			config: "[default]\nregion = eu-west-1\n[profile ml]\naws_access_key_id=AKIA\naws_secret_access_key=hush-secret\n"},
		"the credentials file is stronger": {config: "[default]\naws_access_key_id=AKIB\naws_secret_access_key=hush-other\n",
			credentials: "[default]\naws_access_key_id=AKIA\naws_secret_access_key=hush-secret\n"},
		"a role by a profile": {env: map[string]string{"AWS_PROFILE": "ml", "AWS_REGION": "eu-west-1"},
			config:      "[profile ml]\nrole_arn = " + arn + "reader\nsource_profile = base\nexternal_id = ours\nduration_seconds = 900\n",
			credentials: "[base]\naws_access_key_id=AKIA\naws_secret_access_key=hush-secret\n", roles: []string{"AKIA " + arn + "reader ours 900"}},
		"a role by its own keys": {credentials: "[default]\nrole_arn = " + arn + "reader\nsource_profile = default\naws_access_key_id=AKIA\naws_secret_access_key=hush-secret\n",
			roles: []string{"AKIA " + arn + "reader"}},
		"a role by a role": {env: map[string]string{"AWS_PROFILE": "c"},
			config:      "[profile c]\nrole_arn=" + arn + "c\nsource_profile=b\n[profile b]\nrole_arn=" + arn + "b\nsource_profile=a\n",
			credentials: "[a]\naws_access_key_id=AKIA\naws_secret_access_key=hush-secret\n", roles: []string{"AKIA " + arn + "b", "ASIAB " + arn + "c"}},
		"web identity (IRSA)": {env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": jwt, "AWS_ROLE_ARN": arn + "pod"}, roles: []string{"nobody " + arn + "pod hush-jwt"}},
		"web identity, and then a role of another account": {env: map[string]string{"AWS_PROFILE": "ml"},
			config: "[profile pod]\nrole_arn=" + arn + "pod\nweb_identity_token_file=" + jwt + "\n[profile ml]\nrole_arn=" + arn + "reader\nsource_profile=pod\n",
			roles:  []string{"nobody " + arn + "pod hush-jwt", "ASIAPOD " + arn + "reader"}},
		"EKS Pod Identity": {env: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/pod"},
			process: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/pod", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": jwt}},
		"EKS Pod Identity, and then a role": {config: "[default]\nrole_arn=" + arn + "reader\ncredential_source=EcsContainer\n",
			process: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/pod", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": jwt},
			roles:   []string{"ASIAPOD " + arn + "reader"}},
		"the container's role": {env: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/pod"},
			process: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/pod", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hush-jwt"}},
		"the machine's role": {config: "[default]\nregion = eu-west-1\n"},
		"the machine's role, and then another": {config: "[default]\nrole_arn=" + arn + "reader\ncredential_source=Ec2InstanceMetadata\n",
			roles: []string{"ASIANODE " + arn + "reader"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			env := map[string]string{"HOME": t.TempDir(), "AWS_ENDPOINT_URL": c.URL, "AWS_ENDPOINT_URL_STS": c.URL, "AWS_EC2_METADATA_SERVICE_ENDPOINT": c.URL}
			for k, v := range test.env {
				env[k] = strings.ReplaceAll(v, "CLOUD", c.URL)
			}
			for k, v := range test.process {
				t.Setenv(k, strings.ReplaceAll(v, "CLOUD", c.URL))
			}
			if test.config != "" {
				env["AWS_CONFIG_FILE"] = write(t, test.config)
			}
			if test.credentials != "" {
				env["AWS_SHARED_CREDENTIALS_FILE"] = write(t, test.credentials)
			}
			got, err := fetchNow(t.Context(), t, Request{URI: "s3://models/m.pkl", Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: variables(env)}})
			if err != nil || got.Digest != digestOf(model) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if !slices.Equal(c.roles, test.roles) {
				t.Errorf("assumed %q, want %q", c.roles, test.roles)
			}
		})
	}
}

// A profile that cannot be used is refused, with what to do.
func TestAWSProfileRefused(t *testing.T) {
	const arn = "arn:aws:iam::1:role/r"
	for name, test := range map[string]struct{ config, want string }{
		"no such profile":    {"[profile other]\n", `the profile "ml" cannot be used: there is none of that name in `},
		"no such source":     {"[profile ml]\nrole_arn=" + arn + "\nsource_profile=none\n", `the profile "none" cannot be used: there is none of that name`},
		"an empty source":    {"[profile ml]\nrole_arn=" + arn + "\nsource_profile=a\n[profile a]\nregion=x\n", `the profile "a" cannot be used: it has no credentials`},
		"no source":          {"[profile ml]\nrole_arn=" + arn + "\n", "neither source_profile, credential_source nor web_identity_token_file says who assumes it"},
		"in a circle":        {"[profile ml]\nrole_arn=" + arn + "\nsource_profile=a\n[profile a]\nrole_arn=" + arn + "\nsource_profile=ml\n", "its source_profile leads back to it"},
		"a second factor":    {"[profile ml]\nrole_arn=" + arn + "\nsource_profile=ml\nmfa_serial=arn:aws:iam::1:mfa/me\n", "it asks for a second factor"},
		"SSO":                {"[profile ml]\nsso_session=us\nsso_role_name=r\n", "aws configure export-credentials --profile ml"},
		"a program":          {"[profile ml]\ncredential_process=/bin/hush 1\n", "by a program; let AWS's own tool do that"},
		"no profiles at all": {"hush-secret", `the profile "ml" cannot be used`},
	} {
		env := variables(map[string]string{"HOME": t.TempDir(), "AWS_PROFILE": "ml", "AWS_CONFIG_FILE": write(t, test.config)})
		_, err := fetchNow(t.Context(), t, Request{URI: "s3://models/m.pkl", Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: env}})
		var creds *CredentialsError
		if !errors.As(err, &creds) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}
