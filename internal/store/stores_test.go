package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// variables is an environment.
func variables(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

// asked is what a store of the tests was asked.
type asked struct {
	path, query, authorization string
	header                     http.Header
}

// storeOf serves the model to whoever is authorized, and says what it was asked.
func storeOf(t *testing.T, authorized func(r *http.Request) bool, also http.Handler) (base string, last func() asked) {
	t.Helper()
	var got asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if also != nil && (r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/metadata") || strings.HasPrefix(r.URL.Path, "/creds")) {
			also.ServeHTTP(w, r)
			return
		}
		got = asked{r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Clone()}
		if !authorized(r) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code><Message>your key hush-secret is wrong</Message></Error>"))
			return
		}
		w.Header().Set("ETag", `"v1"`)
		_, _ = w.Write([]byte(model))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() asked { return got }
}

func has(prefix string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("Authorization"), prefix) }
}

// tokens answers who asks for credentials.
func tokens(t *testing.T, want, answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if text := r.URL.Path + "?" + r.Form.Encode(); !strings.Contains(text, want) {
			t.Errorf("asked for credentials with %s, want %s in it", text, want)
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(answer, "<") {
			w.Header().Set("Content-Type", "text/xml")
		}
		_, _ = w.Write([]byte(answer))
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const webIdentity = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>` +
	`<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>hush-secret</SecretAccessKey><SessionToken>hush-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>` +
	`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`

func TestStores(t *testing.T) {
	azureKey := base64.StdEncoding.EncodeToString([]byte("hush-secret"))
	tests := map[string]struct {
		uri         string
		env         map[string]string // BASE stands for the server's address
		credentials map[string]string // files of a mounted Secret
		anonymous   bool
		authorized  func(*http.Request) bool
		also        http.Handler
		path        string // what is asked
		query       string
	}{
		"s3, keys": {uri: "s3://models/a%20b/m+%23.pkl?versionId=v%201", path: "/models/a%20b/m%2B%23.pkl", query: "versionId=v%201",
			env:        map[string]string{"AWS_ENDPOINT_URL": "BASE", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush-secret", "AWS_REGION": "eu-west-1"},
			authorized: has("AWS4-HMAC-SHA256 Credential=AKIA/")},
		"s3, mounted Secret": {uri: "s3://models/m.pkl", path: "/models/m.pkl",
			env:         map[string]string{"AWS_ENDPOINT_URL_S3": "BASE/", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "another"},
			credentials: map[string]string{"AWS_ACCESS_KEY_ID": "AKIA\n", "AWS_SECRET_ACCESS_KEY": "hush-secret\n"},
			authorized:  has("AWS4-HMAC-SHA256 Credential=AKIA/")},
		"s3, shared file": {uri: "s3://models/m.pkl", path: "/models/m.pkl",
			env: map[string]string{"AWS_ENDPOINT_URL": "BASE", "AWS_PROFILE": "ml",
				"AWS_SHARED_CREDENTIALS_FILE": write(t, "[ml]\naws_access_key_id=AKIB\naws_secret_access_key=hush-secret\n")},
			authorized: has("AWS4-HMAC-SHA256 Credential=AKIB/")},
		"s3, web identity": {uri: "s3://models/m.pkl", path: "/models/m.pkl",
			env: map[string]string{"AWS_ENDPOINT_URL": "BASE", "AWS_ENDPOINT_URL_STS": "BASE", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
				"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, "hush-jwt")},
			also:       tokens(t, "WebIdentityToken=hush-jwt", webIdentity),
			authorized: func(r *http.Request) bool { return r.Header.Get("X-Amz-Security-Token") == "hush-token" }},
		"s3, anonymous": {uri: "s3://models/m.pkl", path: "/models/m.pkl", anonymous: true,
			env:        map[string]string{"AWS_ENDPOINT_URL": "BASE", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush-secret"},
			authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
		"gs, emulator": {uri: "gs://models/a/b%20c.pkl#7", path: "/storage/v1/b/models/o/a%2Fb%20c.pkl", query: "alt=media&generation=7",
			env:        map[string]string{"STORAGE_EMULATOR_HOST": "BASE"},
			authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
		"azblob, connection string": {uri: "azblob://models/a%20b.pkl", path: "/devaccount/models/a%20b.pkl",
			env:        map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=devaccount;AccountKey=" + azureKey + ";BlobEndpoint=BASE/devaccount"},
			authorized: azureSigned("devaccount", "hush-secret")},
		"azblob, key": {uri: "azblob://models/m.pkl", path: "/models/m.pkl",
			env:        map[string]string{"AZURE_STORAGE_ACCOUNT": "acc", "AZURE_STORAGE_KEY": azureKey, "AZURE_STORAGE_SERVICE_ENDPOINT": "BASE"},
			authorized: azureSigned("acc", "hush-secret")},
		"azblob, SAS": {uri: "azblob://models/m.pkl", path: "/models/m.pkl", query: "sv=1&sig=hush-secret",
			env:        map[string]string{"AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=hush-secret", "AZURE_STORAGE_SERVICE_ENDPOINT": "BASE"},
			authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
		"azblob, workload identity": {uri: "azblob://models/m.pkl", path: "/models/m.pkl",
			env: map[string]string{"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE", "AZURE_AUTHORITY_HOST": "BASE/", "AZURE_TENANT_ID": "tenant",
				"AZURE_CLIENT_ID": "client", "AZURE_FEDERATED_TOKEN_FILE": write(t, "hush-jwt\n")},
			also:       tokens(t, "/tenant/oauth2/v2.0/token?client_assertion=hush-jwt&", `{"access_token":"hush-token","expires_in":3600}`),
			authorized: has("Bearer hush-token")},
		"azblob, the machine's identity": {uri: "azblob://models/m.pkl", path: "/models/m.pkl",
			env:        map[string]string{"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE", "AZURE_POD_IDENTITY_AUTHORITY_HOST": "BASE"},
			also:       tokens(t, "resource=https%3A%2F%2Fstorage.azure.com%2F", `{"access_token":"hush-token","expires_in":"3600"}`),
			authorized: has("Bearer hush-token")},
		"hf": {uri: "hf://org/iris@refs%2Fpr%2F1/a%20b.pkl", path: "/org/iris/resolve/refs%2Fpr%2F1/a%20b.pkl",
			env:        map[string]string{"HF_ENDPOINT": "BASE/", "HF_TOKEN": "hush-token"},
			authorized: has("Bearer hush-token")},
		"hf, token file": {uri: "hf://org/iris/m.pkl", path: "/org/iris/resolve/main/m.pkl",
			env:        map[string]string{"HF_ENDPOINT": "BASE", "HF_TOKEN_PATH": write(t, "hush-token\n")},
			authorized: has("Bearer hush-token")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			base, last := storeOf(t, test.authorized, test.also)
			options := Options{Anonymous: test.anonymous}
			env := map[string]string{"HOME": t.TempDir()}
			for k, v := range test.env {
				env[k] = strings.ReplaceAll(v, "BASE", base)
			}
			options.Getenv = variables(env)
			if test.credentials != nil {
				options.Credentials = t.TempDir()
				for k, v := range test.credentials {
					if err := os.WriteFile(filepath.Join(options.Credentials, k), []byte(v), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			var log bytes.Buffer
			options.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			got, err := fetchNow(t.Context(), t, Request{URI: test.uri, Path: filepath.Join(t.TempDir(), "m"), Options: options})
			if err != nil || got.Digest != digestOf(model) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if a := last(); a.path != test.path || a.query != test.query {
				t.Errorf("asked for %s?%s, want %s?%s", a.path, a.query, test.path, test.query)
			}
			if strings.Contains(log.String(), "hush") {
				t.Errorf("a secret is in the log: %s", log.String())
			}
		})
	}
}

// azureSigned checks the signature as the service does: the lines are written here
// once more, as its documentation has them for a GET without a body.
func azureSigned(account, key string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		text := "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" + r.Header.Get("X-Ms-Date") + "\nx-ms-version:2023-11-03\n/" + account + r.URL.EscapedPath()
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		return r.Header.Get("Authorization") == "SharedKey "+account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}

// No store's complaint, and no part of an address, brings a secret into an error
// or a log, and what is denied is not asked again.
func TestSecretsStaySecret(t *testing.T) {
	key := base64.StdEncoding.EncodeToString([]byte("hush-secret"))
	for uri, env := range map[string]map[string]string{
		"s3://b/k":                           {"AWS_ENDPOINT_URL": "BASE", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush-secret"},
		"hf://o/r/k":                         {"HF_ENDPOINT": "BASE", "HF_TOKEN": "hush-secret"},
		"azblob://b/k?sv=1&sig=hush-secret":  {"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE"},
		"azblob://b/k":                       {"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE", "AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=" + key, "AZURE_CLIENT_SECRET": "hush-secret"},
		"BASE/k?X-Amz-Signature=hush-secret": {},
	} {
		base, _ := storeOf(t, func(*http.Request) bool { return false }, nil)
		vars := map[string]string{}
		for k, v := range env {
			vars[k] = strings.ReplaceAll(v, "BASE", base)
		}
		var log bytes.Buffer
		options := Options{Getenv: variables(vars), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		_, err := fetchNow(t.Context(), t, Request{URI: strings.ReplaceAll(uri, "BASE", base), Path: filepath.Join(t.TempDir(), "m"), Options: options})
		var status *StatusError
		if !errors.As(err, &status) || !status.Denied() || status.Code != "AccessDenied" {
			t.Errorf("%s: got %v", uri, err)
		}
		if text := err.Error() + log.String(); strings.Contains(text, "hush") || strings.Contains(text, key) {
			t.Errorf("%s: a secret is in %s", uri, text)
		}
	}
}

// Where there are no credentials the error says where they can come from.
func TestNoCredentials(t *testing.T) {
	nowhere := map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "HOME": t.TempDir(), "AZURE_STORAGE_ACCOUNT": "a",
		"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "GOOGLE_APPLICATION_CREDENTIALS": write(t, `{"type":"hush"`)}
	for uri, want := range map[string]string{"s3://b/k": "AWS_ACCESS_KEY_ID", "gs://b/k": "GOOGLE_APPLICATION_CREDENTIALS", "azblob://b/k": "AZURE_STORAGE_KEY"} {
		_, err := fetchNow(t.Context(), t, Request{URI: uri, Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: variables(nowhere)}})
		var creds *CredentialsError
		if !errors.As(err, &creds) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--anonymous") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v", uri, err)
		}
	}
}

// A service account of Google signs for a token, which is used for the object.
func TestGoogleServiceAccount(t *testing.T) {
	base, _ := storeOf(t, has("Bearer hush-token"), tokens(t, "assertion=", `{"access_token":"hush-token","token_type":"Bearer","expires_in":3600}`))
	account, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@b", "private_key": privateKey(t), "token_uri": base + "/token"})
	if err != nil {
		t.Fatal(err)
	}
	env := newEnvironment(Options{Getenv: variables(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": write(t, string(account))})})
	r := httptest.NewRequest(http.MethodGet, base+"/storage", nil)
	if err := (&bearer{find: env.googleToken, help: gsHelp}).authorize(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer hush-token" {
		t.Errorf("got %q", got)
	}
}

// The bucket's region is learned from the answer.
func TestS3Region(t *testing.T) {
	var regions []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		region := strings.Split(r.Header.Get("Authorization"), "/")[2]
		regions = append(regions, region)
		if region != "eu-central-1" {
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		_, _ = w.Write([]byte(model))
	}))
	defer server.Close()
	env := variables(map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush-secret"})
	_, err := fetchNow(t.Context(), t, Request{URI: "s3://b/k", Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: env}})
	if err != nil || strings.Join(regions, " ") != "us-east-1 eu-central-1" {
		t.Errorf("asked in %v, %v", regions, err)
	}
}

// AWS's own addresses have the bucket in the host's name.
func TestS3Addresses(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"https://bucket.s3.us-east-1.amazonaws.com/k":     {},
		"https://bucket.s3.cn-north-1.amazonaws.com.cn/k": {"AWS_REGION": "cn-north-1"},
	} {
		u := mustParse(t, "s3://bucket/k")
		src, err := newS3(t.Context(), newEnvironment(Options{Getenv: variables(env)}), u)
		if err != nil || src.(*s3).url != want {
			t.Errorf("got %s, %v, want %s", src.(*s3).url, err, want)
		}
	}
	src, err := newS3(t.Context(), newEnvironment(Options{Getenv: variables(nil)}), mustParse(t, "s3://my.bucket/k"))
	if want := "https://s3.us-east-1.amazonaws.com/my.bucket/k"; err != nil || src.(*s3).url != want {
		t.Errorf("got %s, %v, want %s", src.(*s3).url, err, want)
	}
}

// The Hub's token does not follow to the host that large files come from.
func TestHubRedirect(t *testing.T) {
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the other host got the token")
		}
		_, _ = w.Write([]byte(model))
	}))
	defer cdn.Close()
	other := strings.Replace(cdn.URL, "127.0.0.1", "localhost", 1)
	hub := httptest.NewServer(http.RedirectHandler(other+"/blob", http.StatusFound))
	defer hub.Close()
	env := variables(map[string]string{"HF_ENDPOINT": hub.URL, "HF_TOKEN": "hush-token"})
	if _, err := fetchNow(t.Context(), t, Request{URI: "hf://o/r/m.pkl", Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: env}}); err != nil {
		t.Error(err)
	}
}

// A proxy is not asked for what this machine alone can tell.
func TestMetadataWithoutProxy(t *testing.T) {
	for _, address := range []string{"http://169.254.169.254/x", "http://metadata.google.internal/x"} {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		if p, err := proxy(r); p != nil || err != nil {
			t.Errorf("%s: %v, %v", address, p, err)
		}
	}
}
