package uri

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var hex = strings.Repeat("ab", 32)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		want URI
		text string // how it is shown
		file string // its path for people
	}{
		"file:///models/iris.pkl": {URI{Scheme: File, Path: "/models/iris.pkl"}, "file:///models/iris.pkl", "/models/iris.pkl"},
		"https://u:hush@host/a%20b/model.pkl?sig=hush": {URI{Scheme: HTTPS, Host: "host", Path: "a b/model.pkl"},
			"https://u:xxxxx@host/a%20b/model.pkl", "/a b/model.pkl"},
		"HTTP://host:81/": {URI{Scheme: HTTP, Host: "host:81"}, "http://host:81/", "/model.pkl"},
		"s3://bucket/a/b+c%23.pkl?versionId=3": {URI{Scheme: S3, Host: "bucket", Path: "a/b+c#.pkl", Revision: "3"},
			"s3://bucket/a/b+c#.pkl", "/a/b+c#.pkl"},
		"gs://bucket/m.pkl#17":       {URI{Scheme: GS, Host: "bucket", Path: "m.pkl", Revision: "17"}, "gs://bucket/m.pkl", "/m.pkl"},
		"azblob://models/iris/m.pkl": {URI{Scheme: AzBlob, Host: "models", Path: "iris/m.pkl"}, "azblob://models/iris/m.pkl", "/iris/m.pkl"},
		"azblob://acc.blob.core.windows.net/models/m.pkl?sv=1&sig=hush": {
			URI{Scheme: AzBlob, Host: "models", Path: "m.pkl", Account: "acc", SAS: "sv=1&sig=hush"}, "azblob://acc/models/m.pkl", "/m.pkl"},
		"oci://localhost:5000/team/iris:1.0": {URI{Scheme: OCI, Host: "localhost:5000", Repository: "team/iris", Tag: "1.0"},
			"oci://localhost:5000/team/iris:1.0", "/team/iris/model.pkl"},
		"oci://r.io/iris:1@sha256:" + hex + "#/models/iris/model.pkl": {
			URI{Scheme: OCI, Host: "r.io", Repository: "iris", Tag: "1", Digest: "sha256:" + hex, Path: "models/iris/model.pkl"},
			"oci://r.io/iris:1@sha256:" + hex + "#models/iris/model.pkl", "/models/iris/model.pkl"},
		"hf://org/iris/model.pkl": {URI{Scheme: HF, Repository: "org/iris", Revision: "main", Path: "model.pkl"},
			"hf://org/iris@main/model.pkl", "/org/iris/model.pkl"},
		"hf://org/iris@refs%2Fpr%2F1/a/b.pkl": {URI{Scheme: HF, Repository: "org/iris", Revision: "refs/pr/1", Path: "a/b.pkl"},
			"hf://org/iris@refs/pr/1/a/b.pkl", "/org/iris/a/b.pkl"},
	}
	for raw, test := range tests {
		t.Run(raw, func(t *testing.T) {
			got, err := Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreFields(URI{}, "URL")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.String() != test.text || got.FilePath() != test.file {
				t.Errorf("it is shown as %s with the path %s", got, got.FilePath())
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for raw, want := range map[string]string{
		"model.pkl":                                "expected SCHEME://",
		"s4://b/k":                                 `there is no store "s4"; use one of file, http`,
		"s3://bucket":                              "expected s3://BUCKET/KEY",
		"s3://bucket/dir/":                         "s3://… ends in a slash: a directory of a store has no digest; pack it (tar czf",
		"gs://bucket/dir/":                         "ends in a slash",
		"azblob://models/dir/":                     "ends in a slash",
		"hf://org/iris/dir/":                       "ends in a slash",
		"file:///models/":                          "ends in a slash",
		"s3://hush:hush@bucket/k":                  "credentials come from the environment",
		"https:///path":                            "expected https://HOST/PATH",
		"https://hush:hush@h:port/":                "cannot be understood",
		"file://host/x":                            "three slashes",
		"gs:///k":                                  "expected gs://",
		"azblob://a.example.com/c/b":               "expected azblob://",
		"oci://r.io/iris":                          "expected oci://",
		"oci://r.io/iris@sha256:12":                "expected oci://",
		"hf://org/iris":                            "expected hf://ORG/REPO",
		"s3://b/" + strings.Repeat("k", maxLength): "too long",
	} {
		_, err := Parse(raw)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%.40s: got %v, want %q in it and no secret", raw, err, want)
		}
	}
}

// An archive is told by the ending of its file's name, wherever that stands.
func TestArchive(t *testing.T) {
	for raw, want := range map[string]bool{
		"s3://b/a/model.tar.gz?versionId=3": true,
		"https://h/model.TGZ?sig=x.pkl":     true,
		"gs://b/model.tar#17":               true,
		"hf://org/iris@v1.zip/model.zip":    true,
		"oci://r.io/iris:1#model.tar.gz":    true,
		"oci://r.io/iris:1.zip":             false,
		"s3://b/model.zip/saved_model.pb":   false,
		"https://h/model?file=model.zip":    false,
		"s3://b/model.gz":                   false,
	} {
		u, err := Parse(raw)
		if err != nil || u.Archive() != want {
			t.Errorf("%s: %t, %v", raw, !want, err)
		}
	}
}

// FuzzParse checks that no address is shown with what may be a secret in it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"https://u:p@h/x?q", "s3://b/k", "azblob://a.blob.x/c/b?sig=1", "oci://r/i:t@sha256:" + hex + "#p", "hf://o/r@x/y", "file:///x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := Parse(raw)
		if err != nil {
			return
		}
		if !strings.HasPrefix(u.FilePath(), "/") {
			t.Errorf("the file's path is %q", u.FilePath())
		}
		if u.URL != nil && u.URL.User != nil {
			if p, ok := u.URL.User.Password(); ok && len(p) > 8 && strings.Contains(u.String(), p) && !strings.Contains(u.Path+u.Host+u.URL.User.Username(), p) {
				t.Errorf("%q shows its password", u)
			}
		}
	})
}
