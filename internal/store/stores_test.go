package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

// Google's tokens come from a service account, which signs for them, from a token of
// another cloud or cluster (workload identity federation), and from the metadata server
// (workload identity of GKE).
func TestGoogle(t *testing.T) {
	const answer = `{"access_token":"hush-token","token_type":"Bearer","expires_in":3600}`
	file := func(v map[string]any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, string(text))
	}
	tests := map[string]struct {
		want string // what is asked for the token
		file func(base string) string
	}{
		"service account": {"assertion=", func(base string) string {
			return file(map[string]any{"type": "service_account", "client_email": "a@b", "private_key": privateKey(t), "token_uri": base + "/token"})
		}},
		"federation": {"subject_token=hush-jwt", func(base string) string {
			return file(map[string]any{"type": "external_account", "audience": "//iam.googleapis.com/p", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
				"token_url": base + "/token", "credential_source": map[string]any{"file": write(t, "hush-jwt")}})
		}},
		"metadata server": {"/computeMetadata/v1/instance/service-accounts/default/token", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked := ""
			google := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				asked += r.URL.Path + "?" + r.Form.Encode() + "\n"
				w.Header().Set("Metadata-Flavor", "Google")
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(answer))
			}))
			defer google.Close()
			vars := map[string]string{}
			if test.file != nil {
				vars["GOOGLE_APPLICATION_CREDENTIALS"] = test.file(google.URL)
			} else { // Google's library asks the process's own environment
				t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
				t.Setenv("HOME", t.TempDir())
				t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(google.URL, "http://"))
			}
			env := newEnvironment(Options{Getenv: variables(vars)})
			r := httptest.NewRequest(http.MethodGet, "https://storage.googleapis.com/storage", nil)
			if err := (&bearer{find: env.googleToken, help: gsHelp}).authorize(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got := r.Header.Get("Authorization"); got != "Bearer hush-token" || !strings.Contains(asked, test.want) {
				t.Errorf("got %q for %s, want %s asked", got, asked, test.want)
			}
		})
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

// What is meant for a store goes to no server that it redirects to: neither tokens,
// passwords and signatures nor the address that holds one. Which bytes are wanted does.
func TestRedirectToAnother(t *testing.T) {
	for uri, env := range map[string]map[string]string{
		"hf://o/r/m.pkl":   {"HF_ENDPOINT": "BASE", "HF_TOKEN": "hush-token"},
		"s3://models/m":    {"AWS_ENDPOINT_URL": "BASE", "AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "hush-secret", "AWS_SESSION_TOKEN": "hush-token"},
		"azblob://m/m":     {"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE", "AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=hush-secret"},
		"USER/m?sig=hush":  {},
		"USER/m#fragments": {},
	} {
		data := large()
		var asked []http.Header
		cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Header.Clone())
			w.Header().Set("ETag", `"v1"`)
			http.ServeContent(&cutter{ResponseWriter: w, left: 700_000}, r, "", time.Time{}, bytes.NewReader(data))
		}))
		defer cdn.Close()
		other := strings.Replace(cdn.URL, "127.0.0.1", "localhost", 1)
		hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" && r.URL.RawQuery == "" {
				t.Errorf("%s: the store got no credentials", uri)
			}
			http.Redirect(w, r, other+"/blob", http.StatusFound)
		}))
		defer hub.Close()
		vars := map[string]string{}
		for k, v := range env {
			vars[k] = strings.ReplaceAll(v, "BASE", hub.URL)
		}
		uri = strings.Replace(uri, "USER", strings.Replace(hub.URL, "http://", "http://me:hush-password@", 1), 1)
		got, err := fetchNow(t.Context(), t, Request{URI: uri, Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: variables(vars)}})
		if err != nil || got.Digest != digestOf(string(data)) {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
		if len(asked) != 2 || asked[1].Get("Range") != "bytes=700000-" {
			t.Errorf("%s: the other server was asked %v, want the rest at last", uri, asked)
		}
		for _, h := range asked {
			if text := fmt.Sprint(h); strings.Contains(text, "hush") || h.Get("Authorization") != "" {
				t.Errorf("%s: the other server got %s", uri, text)
			}
		}
	}
}

// On the server that it is for a password goes along.
func TestRedirectOnTheServer(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/m", http.RedirectHandler("/moved", http.StatusFound))
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(model))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	uri := strings.Replace(server.URL, "http://", "http://me:hush@", 1) + "/m"
	if got, err := fetchNow(t.Context(), t, Request{URI: uri, Path: filepath.Join(t.TempDir(), "m")}); err != nil || got.Digest != digestOf(model) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Each store goes on where it was cut off, by its own way to say which version is
// meant, and starts again if there is another one by then.
func TestStoresResume(t *testing.T) {
	etag := func(w http.ResponseWriter, r *http.Request, version string) bool {
		w.Header().Set("ETag", `"`+version+`"`)
		if want := r.Header.Get("If-Match"); want != "" && want != `"`+version+`"` {
			w.WriteHeader(http.StatusPreconditionFailed)
			return false
		}
		r.Header.Del("If-Match")
		return true
	}
	tests := map[string]struct {
		uri string
		env map[string]string
		// version says which one is sent, and refuses where another is asked for.
		version func(w http.ResponseWriter, r *http.Request, version string) bool
		asks    func(r *http.Request) string // how it asks for a version
	}{
		"s3": {"s3://b/k", map[string]string{"AWS_ENDPOINT_URL": "BASE", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"}, etag,
			func(r *http.Request) string { return r.Header.Get("If-Match") }},
		"azblob": {"azblob://b/k", map[string]string{"AZURE_STORAGE_SERVICE_ENDPOINT": "BASE", "AZURE_STORAGE_SAS_TOKEN": "sig=hush"}, etag,
			func(r *http.Request) string { return r.Header.Get("If-Match") }},
		"gs": {"gs://b/k", map[string]string{"STORAGE_EMULATOR_HOST": "BASE"}, func(w http.ResponseWriter, r *http.Request, version string) bool {
			w.Header().Set("X-Goog-Generation", version)
			if want := r.URL.Query().Get("ifGenerationMatch"); want != "" && want != version {
				w.WriteHeader(http.StatusPreconditionFailed)
				return false
			}
			return true
		}, func(r *http.Request) string { return r.URL.Query().Get("ifGenerationMatch") }},
		"hf": {"hf://o/r/k", map[string]string{"HF_ENDPOINT": "BASE"}, func(w http.ResponseWriter, _ *http.Request, version string) bool {
			w.Header().Set("ETag", `"`+version+`"`) // ServeContent looks at If-Range
			return true
		}, func(r *http.Request) string { return r.Header.Get("If-Range") }},
	}
	for name, test := range tests {
		for _, changed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, changed %t", name, changed), func(t *testing.T) {
				const cut = 700_000
				var requests int
				var last string
				data := large()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests++
					version, left := "1", len(data)
					if requests == 1 {
						left = cut
					} else if changed {
						version, data = "2", bytes.ToUpper(data)
					}
					if requests == 2 {
						last = r.Header.Get("Range") + " of " + strings.Trim(test.asks(r), `"`)
					}
					if test.version(w, r, version) {
						http.ServeContent(&cutter{ResponseWriter: w, left: left}, r, "", time.Time{}, bytes.NewReader(data))
					}
				}))
				defer server.Close()
				vars := map[string]string{"HOME": t.TempDir()}
				for k, v := range test.env {
					vars[k] = strings.ReplaceAll(v, "BASE", server.URL)
				}
				got, err := fetchNow(t.Context(), t, Request{URI: test.uri, Path: filepath.Join(t.TempDir(), "m"), Options: Options{Getenv: variables(vars)}})
				if err != nil || got.Digest != digestOf(string(data)) {
					t.Fatalf("got %+v, %v", got, err)
				}
				if want := fmt.Sprintf("bytes=%d- of 1", cut); last != want {
					t.Errorf("asked for %q, want %q", last, want)
				}
			})
		}
	}
}

// A proxy is not asked for what this machine alone can tell.
func TestMetadataWithoutProxy(t *testing.T) {
	for _, address := range []string{"http://169.254.169.254/x", "http://[fd00:ec2::23]/x", "http://metadata.google.internal/x"} {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		if p, err := proxy(r); p != nil || err != nil {
			t.Errorf("%s: %v, %v", address, p, err)
		}
	}
}
