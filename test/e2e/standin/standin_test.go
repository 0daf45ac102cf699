package main

import (
	"archive/zip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mar = "an archive with a manifest"

// TestStart has each server start with the model where it looks for one, and nowhere
// else: a Model that lays it out otherwise must not become Ready.
func TestStart(t *testing.T) {
	tests := map[string]struct {
		program string
		files   map[string]string // below DIR
		args    string            // with DIR
		want    string            // of the error; "" for none
	}{
		"triton":                {"tritonserver", map[string]string{"iris/1/model.onnx": ""}, "--model-repository=DIR --exit-timeout-secs=25", ""},
		"triton, its own name":  {"tritonserver", map[string]string{"iris/config.pbtxt": "name: \"iris\"\n", "iris/1/model.onnx": ""}, "--model-repository=DIR", ""},
		"triton, renamed":       {"tritonserver", map[string]string{"iris/config.pbtxt": "name: \"resnet\"\n", "iris/1/model.onnx": ""}, "--model-repository=DIR", "directory name must equal model name"},
		"triton, no version":    {"tritonserver", map[string]string{"iris/model.onnx": ""}, "--model-repository=DIR", "at least one version"},
		"triton, another name":  {"tritonserver", map[string]string{"iris/1/iris.onnx": ""}, "--model-repository=DIR", "model.onnx"},
		"triton, no model":      {"tritonserver", map[string]string{"iris.onnx": ""}, "--model-repository=DIR", "no model in the repository"},
		"triton, another flag":  {"tritonserver", map[string]string{"iris/1/model.onnx": ""}, "--model-repository=DIR --drain=25", "-drain"},
		"torchserve":            {"torchserve", map[string]string{"1.0/iris.mar": mar}, "--start --foreground --no-config-snapshots --disable-token-auth", ""},
		"torchserve, no model":  {"torchserve", map[string]string{"iris.mar": mar}, "--start", "no such file"},
		"torchserve, no .mar":   {"torchserve", map[string]string{"1.0/iris.mar": "pickle"}, "--start", "not a valid zip"},
		"tfserving":             {"tensorflow_model_server", map[string]string{"3/saved_model.pb": ""}, "--port=8500 --rest_api_port=8501 --model_name=iris --model_base_path=DIR", ""},
		"torchserve, unpacked":  {"torchserve", map[string]string{"1.0/iris.mar/MAR-INF/MANIFEST.json": "{}"}, "--start", ""},
		"torchserve, other dir": {"torchserve", map[string]string{"1.0/iris.mar/model.pt": ""}, "--start", "no such file"},
		"tfserving, half":       {"tensorflow_model_server", map[string]string{"3/saved_model.pb": "", "3/variables/variables.data": ""}, "--model_base_path=DIR", "could not read the variables"},
		"tfserving, no version": {"tensorflow_model_server", map[string]string{"saved_model.pb": ""}, "--model_base_path=DIR", "no versions of servable"},
		"tfserving, a file":     {"tensorflow_model_server", map[string]string{"3/model.pb": ""}, "--model_base_path=DIR", "SavedModel"},
		"another program":       {"python", nil, "", "no such program"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir, config := t.TempDir(), t.TempDir()
			for file, content := range test.files {
				write(t, filepath.Join(dir, file), content)
			}
			write(t, filepath.Join(config, "config.properties"), "inference_address=http://0.0.0.0:8080\nmanagement_address=http://127.0.0.1:8081\nmetrics_address=http://0.0.0.0:8082\n"+
				"grpc_inference_address=0.0.0.0\ngrpc_inference_port=7070\nmodel_store="+filepath.Join(dir, "1.0")+"\nload_models=iris=iris.mar\n")
			write(t, filepath.Join(config, "monitoring.config"), "prometheus_config {\n  enable: true\n  path: \"/m\"\n}\n")
			t.Setenv("TS_CONFIG_FILE", filepath.Join(config, "config.properties"))
			t.Setenv("LOG_LOCATION", filepath.Join(config, "logs"))
			t.Setenv("TEMP", config)
			args := strings.Fields(strings.ReplaceAll(test.args, "DIR", dir))
			if test.program == "tensorflow_model_server" {
				args = append(args, "--monitoring_config_file="+filepath.Join(config, "monitoring.config"))
			}
			start := programs()[test.program]
			if start == nil {
				if err := run(test.program, args); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, not %q", err, test.want)
				}
				return
			}
			_, err := start(args)
			if got := fmtError(err); (test.want == "") != (err == nil) || !strings.Contains(got, test.want) {
				t.Errorf("%s, not %q", got, test.want)
			}
		})
	}
}

func fmtError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if content != mar {
		if _, err := f.WriteString(content); err != nil {
			t.Fatal(err)
		}
		return
	}
	archive := zip.NewWriter(f)
	if _, err := archive.Create("MAR-INF/MANIFEST.json"); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHistogram has a call counted in all buckets that it fits into.
func TestHistogram(t *testing.T) {
	metrics := newTFMetrics("/models/iris/3")
	observe(metrics, "iris", 0)
	w := httptest.NewRecorder()
	metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/m", nil))
	for _, line := range []string{
		"# TYPE :tensorflow:serving:request_latency histogram",
		`:tensorflow:serving:request_latency_bucket{model_name="iris",API="predict",entrypoint="REST",le="10"} 1`,
		`:tensorflow:serving:request_latency_bucket{model_name="iris",API="predict",entrypoint="REST",le="+Inf"} 1`,
		`:tensorflow:serving:request_latency_count{model_name="iris",API="predict",entrypoint="REST"} 1`,
		`:tensorflow:serving:request_count{model_name="iris",status="OK"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the page does not say %s:\n%s", line, w.Body)
		}
	}
}
