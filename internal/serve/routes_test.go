package serve

import (
	"strings"
	"testing"

	"mizzen.dev/internal/config"
)

// TestAnswers is the table of what each path answers, and of the mistakes that
// callers make.
func TestAnswers(t *testing.T) {
	s := start(t, nil)
	const v2 = `{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[5.1,3.5,1.4,0.2]}]}`
	deep := strings.Repeat("[", 100_000)
	tests := map[string]struct {
		method, path, body string
		header             []string
		status             int
		want               string // part of the body
	}{
		"native":                   {"POST", "/predict", irisBody, nil, 200, `{"prediction":[0]}`},
		"native, by name":          {"POST", "/predict/iris", irisBody, nil, 200, `{"prediction":[0]}`},
		"native, by version":       {"POST", "/predict/iris/versions/1", irisBody, nil, 200, `{"prediction":[0]}`},
		"native, slash at the end": {"POST", "/predict/", irisBody, nil, 200, `{"prediction":[0]}`},
		"native, query":            {"POST", "/predict?a=b", irisBody, nil, 200, `{"prediction":[0]}`},
		"native, wrong type":       {"POST", "/predict", irisBody, []string{"Content-Type", "text/plain"}, 200, `{"prediction":[0]}`},
		"v1":                       {"POST", "/v1/models/iris:predict", `{"instances":[[5.1,3.5,1.4,0.2]]}`, nil, 200, `{"predictions":[0]}`},
		"v1, version":              {"POST", "/v1/models/iris/versions/1:predict", `{"instances":[[5.1,3.5,1.4,0.2]]}`, nil, 200, `{"predictions":[0]}`},
		"v1 models":                {"GET", "/v1/models", "", nil, 200, `{"models":["iris"]}`},
		"v1 model":                 {"GET", "/v1/models/iris", "", nil, 200, `{"name":"iris","ready":true}`},
		"v2":                       {"POST", "/v2/models/iris/infer", v2, nil, 200, `"data":[0]`},
		"v2, version":              {"POST", "/v2/models/iris/versions/1/infer", v2, nil, 200, `"model_version":"1"`},
		"v2 server":                {"GET", "/v2", "", nil, 200, `"name":"mizzen"`},
		"v2 server, slash":         {"GET", "/v2/", "", nil, 200, `"name":"mizzen"`},
		"v2 live":                  {"GET", "/v2/health/live", "", nil, 200, `{"live":true}`},
		"v2 ready":                 {"GET", "/v2/health/ready", "", nil, 200, `{"ready":true}`},
		"v2 model":                 {"GET", "/v2/models/iris", "", nil, 200, `"versions":["1"]`},
		"v2 model, version":        {"GET", "/v2/models/iris/versions/1", "", nil, 200, `"shape":[-1,4]`},
		"v2 model ready":           {"GET", "/v2/models/iris/ready", "", nil, 200, `{"name":"iris","ready":true}`},
		"v2 version ready":         {"GET", "/v2/models/iris/versions/1/ready", "", nil, 200, `{"name":"iris","ready":true}`},
		"repository":               {"POST", "/v2/repository/index", "", nil, 200, `[{"name":"iris","version":"1","state":"READY","reason":""}]`},
		"repository, ready":        {"POST", "/v2/repository/index", `{"ready":true}`, nil, 200, `"READY"`},
		"scoring":                  {"POST", "/invocations", `{"inputs":[[5.1,3.5,1.4,0.2]]}`, []string{"Content-Type", "application/json"}, 200, `{"predictions":[0]}`},
		"ping":                     {"GET", "/ping", "", nil, 200, "\n"},
		"version":                  {"GET", "/version", "", nil, 200, "\n"},
		"live":                     {"GET", "/healthz", "", nil, 200, `{"status":"live"}`},
		"live, head":               {"HEAD", "/healthz", "", nil, 200, ``},
		"ready":                    {"GET", "/readyz", "", nil, 200, `{"status":"ready"}`},
		"metrics":                  {"GET", "/metrics", "", nil, 200, "inference_requests_total{"},
		"openapi":                  {"GET", "/openapi.json", "", nil, 200, `"openapi":"3.1`},
		"docs":                     {"GET", "/docs/", "", nil, 200, "<html"},
		"docs file":                {"GET", "/docs/docs.js", "", nil, 200, ""},
		"landing":                  {"GET", "/", "", nil, 200, `"models":["iris"]`},
		"landing, browser":         {"GET", "/", "", []string{"Accept", "text/html,*/*"}, 302, ""},

		"wrong method":              {"GET", "/predict", "", nil, 405, "use POST"},
		"wrong method, v1":          {"PUT", "/v1/models/iris:predict", "", nil, 405, "use POST"},
		"wrong method, v2":          {"DELETE", "/v2/models/iris/infer", "", nil, 405, "use POST"},
		"wrong method, probe":       {"POST", "/healthz", "", nil, 405, "use GET, HEAD"},
		"options":                   {"OPTIONS", "/predict", "", nil, 204, ""},
		"wrong path":                {"POST", "/predit", "", nil, 404, "did you mean /predict?"},
		"wrong path, far":           {"GET", "/wp-login.php", "", nil, 404, "GET /docs lists all paths"},
		"wrong path, v1":            {"POST", "/v1/models/iris:classify", "{}", nil, 404, `{"error":`},
		"wrong path, v2":            {"GET", "/v2/models/iris/stats", "", nil, 404, `{"error":`},
		"no model name":             {"GET", "/v2/models//ready", "", nil, 404, `{"error":`},
		"unknown model":             {"POST", "/v1/models/irsi:predict", "{}", nil, 404, `there is iris; did you mean iris?`},
		"unknown version":           {"POST", "/v2/models/iris/versions/7/infer", v2, nil, 404, `has no version \"7\"; it has 1`},
		"empty body":                {"POST", "/predict", "", nil, 400, `{"error":`},
		"no JSON":                   {"POST", "/predict", "hello", nil, 400, `{"error":`},
		"truncated":                 {"POST", "/predict", `{"inputs":[5.1,3.5`, nil, 400, `{"error":`},
		"deeply nested":             {"POST", "/predict", `{"inputs":` + deep, nil, 400, `{"error":`},
		"key twice":                 {"POST", "/predict", `{"inputs":[1,2,3,4],"inputs":[1,2,3,4]}`, nil, 400, "inputs"},
		"unknown key":               {"POST", "/predict", `{"input":[5.1,3.5,1.4,0.2]}`, nil, 400, "did you mean inputs?"},
		"no rows":                   {"POST", "/predict", `{"inputs":[]}`, nil, 400, "inputs"},
		"ragged rows":               {"POST", "/predict", `{"inputs":[[1,2,3,4],[1,2,3]]}`, nil, 400, "inputs[1]"},
		"wrong number of features":  {"POST", "/predict", `{"inputs":[1,2,3]}`, nil, 400, "got 3 values, expected 4"},
		"no number":                 {"POST", "/predict", `{"inputs":[[1,2,3,4],[1,2,3,4],[1,2,3,4],[1,2,"abc",4]]}`, nil, 400, `inputs[3][2]: expected a number, found \"abc\"`},
		"huge number":               {"POST", "/predict", `{"inputs":[1,2,3,1e999]}`, nil, 400, "inputs"},
		"unknown output":            {"POST", "/predict", `{"inputs":[1,2,3,4],"outputs":["transform"]}`, nil, 400, "predict_proba"},
		"unknown encoding":          {"POST", "/predict", irisBody, []string{"Content-Encoding", "br"}, 415, "send gzip, deflate or none"},
		"bad gzip":                  {"POST", "/predict", irisBody, []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		"bad deflate":               {"POST", "/predict", "\xff\xff", []string{"Content-Encoding", "deflate"}, 400, `{"error":`},
		"bad length of the JSON":    {"POST", "/v2/models/iris/infer", v2, []string{"Inference-Header-Content-Length", "-1"}, 400, "Inference-Header-Content-Length"},
		"JSON longer than the body": {"POST", "/v2/models/iris/infer", v2, []string{"Inference-Header-Content-Length", "100000"}, 400, `{"error":`},
		"scoring, unknown type":     {"POST", "/invocations", "x", []string{"Content-Type", "image/png"}, 415, "image/png"},
		"load":                      {"POST", "/v2/repository/models/iris/load", "", nil, 403, "switched on"},
		"unload":                    {"POST", "/v2/repository/models/iris/unload", "", nil, 403, "switched on"},
		"bad index query":           {"POST", "/v2/repository/index", "[", nil, 400, `{"error":`},
		"docs file that is none":    {"GET", "/docs/secret.txt", "", nil, 404, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, test.method, s.url+test.path, test.body, test.header...)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, test.status, test.want)
			}
			if got.status == 405 && got.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if strings.HasPrefix(got.body, "{") && got.header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
			}
		})
	}
}

// TestSeveralModels shows what changes when there is more than one model.
func TestSeveralModels(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"a/model.pkl", "b/1/model.pkl", "b/10/model.pkl", "b/9/model.pkl"} {
		copyFile(t, irisPath, dir+"/"+path)
	}
	writeFile(t, dir+"/broken/model.pkl", "this is no pickle")
	s := start(t, func(c *config.Config) { c.Path = dir })
	tests := map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"none is named":       {"POST", "/predict", irisBody, 404, "/predict/a"},
		"named":               {"POST", "/predict/a", irisBody, 200, `{"prediction":[0]}`},
		"highest version":     {"GET", "/v2/models/b", "", 200, `"versions":["1","9","10"]`},
		"default version":     {"POST", "/v2/models/b/infer", `{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[1,2,3,4]}]}`, 200, `"model_version":"10"`},
		"broken":              {"POST", "/predict/broken", irisBody, 503, "not available"},
		"broken is not ready": {"GET", "/v2/models/broken/ready", "", 503, "not available"},
		"index":               {"POST", "/v2/repository/index", "", 200, `{"name":"broken","version":"1","state":"UNAVAILABLE","reason":"`},
		"index of ready ones": {"POST", "/v2/repository/index", `{"ready":true}`, 200, `[{"name":"a","version":"1","state":"READY","reason":""},{"name":"b","version":"1",`},
		"list":                {"GET", "/v1/models", "", 200, `{"models":["a","b"]}`},
		"server":              {"GET", "/readyz", "", 200, "ready"},
		"openapi":             {"GET", "/openapi.json", "", 200, "/predict/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, test.method, s.url+test.path, test.body)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, test.status, test.want)
			}
		})
	}
	metrics := do(t, "GET", s.url+"/metrics", "").body
	for _, want := range []string{`result="failure",version="1"} 1`, `result="success",version="1"} 0`} {
		if !strings.Contains(metrics, `inference_model_loads_total{model="broken",`+want) {
			t.Errorf("missing in the metrics: %s", want)
		}
	}
}

// A broken model beside a good one changes nothing for those who call the good one
// without its name.
func TestOneGoodModel(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, irisPath, dir+"/good/model.pkl")
	writeFile(t, dir+"/broken/model.pkl", "this is no pickle")
	s := start(t, func(c *config.Config) { c.Path = dir })
	if got := do(t, "POST", s.url+"/predict", irisBody); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	copyFile(t, irisPath, dir+"/better/model.pkl")
	if err := s.Reload(t.Context()); err != nil && !strings.Contains(err.Error(), "pickle") {
		t.Fatal(err)
	}
	got := do(t, "POST", s.url+"/predict", irisBody)
	if got.status != 404 || !strings.Contains(got.body, "(better, good)") {
		t.Errorf("with two: got %d %s", got.status, got.body)
	}
}
