package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// triton is tritonserver in its usual mode: it loads every model of its repository and
// ends if one of them cannot be loaded.
func triton(args []string) (*server, error) {
	flags := flag.NewFlagSet("tritonserver", flag.ContinueOnError)
	repository := flags.String("model-repository", "", "")
	exit := flags.Int("exit-timeout-secs", 30, "")
	flags.Int64("http-max-input-size", 64<<20, "")
	flags.Func("trace-config", "", func(string) error { return nil })
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *repository == "" {
		return nil, errors.New("--model-repository must be specified")
	}
	models, err := tritonModels(*repository)
	if err != nil {
		return nil, err
	}
	metrics := newPage(map[string]string{
		"nv_inference_request_success": "counter", "nv_inference_request_failure": "counter", "nv_inference_pending_request_count": "gauge",
	})
	api := http.NewServeMux()
	ok := func(http.ResponseWriter, *http.Request) {}
	api.HandleFunc("GET /v2/health/live", ok)
	api.HandleFunc("GET /v2/health/ready", ok)
	for model, version := range models {
		labels := fmt.Sprintf("model=%q,version=%q", model, version)
		metrics.add("nv_inference_request_success", labels, 0)
		metrics.add("nv_inference_request_failure", labels+`,reason="OTHER"`, 0)
		metrics.add("nv_inference_pending_request_count", labels, 0)
		api.HandleFunc("GET /v2/models/"+model+"/ready", ok)
		api.HandleFunc("POST /v2/models/"+model+"/infer", func(w http.ResponseWriter, r *http.Request) {
			metrics.add("nv_inference_request_success", labels, 1)
			answer(fmt.Sprintf(`{"model_name":%q,"model_version":%q,"outputs":[]}`, model, version))(w, r)
		})
	}
	scrape := http.NewServeMux()
	scrape.Handle("GET /metrics", metrics)
	return &server{
		ports: map[string]http.Handler{":8000": api, ":8001": http.NotFoundHandler(), ":8002": scrape},
		drain: time.Duration(*exit) * time.Second,
	}, nil
}

// tritonModels are the models of a repository with their latest versions.
func tritonModels(repository string) (map[string]string, error) {
	entries, err := os.ReadDir(repository)
	if err != nil {
		return nil, err
	}
	models := map[string]string{}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		version, err := tritonVersion(filepath.Join(repository, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("failed to load model %q: %w", e.Name(), err)
		}
		models[e.Name()] = version
	}
	if len(models) == 0 {
		return nil, fmt.Errorf("no model in the repository %s", repository)
	}
	return models, nil
}

// tritonName compares the name in a model's configuration, if it has one, with that of
// its directory.
func tritonName(model string) error {
	text, err := os.ReadFile(filepath.Join(model, "config.pbtxt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	name := regexp.MustCompile(`(?m)^\s*name:\s*"([^"]*)"`).FindSubmatch(text)
	if name != nil && string(name[1]) != filepath.Base(model) {
		return fmt.Errorf("unexpected directory name %q for model %q, directory name must equal model name", filepath.Base(model), name[1])
	}
	return nil
}

// tritonVersion finds the latest version in a model's directory, and the file in it
// that a backend would load.
func tritonVersion(model string) (string, error) {
	entries, err := os.ReadDir(model)
	if err != nil {
		return "", err
	}
	if err := tritonName(model); err != nil {
		return "", err
	}
	latest := 0
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			latest = max(latest, n)
		}
	}
	if latest == 0 {
		return "", errors.New("at least one version must be available under the version policy of the model")
	}
	version := strconv.Itoa(latest)
	files, err := os.ReadDir(filepath.Join(model, version))
	if err != nil {
		return "", err
	}
	known := []string{"model.onnx", "model.plan", "model.pt", "model.savedmodel", "model.graphdef", "model.xml", "model.py", "model.json"}
	for _, f := range files {
		if slices.Contains(known, f.Name()) {
			return version, nil
		}
	}
	return "", fmt.Errorf("unable to autofill: version %s has none of %s", version, strings.Join(known, ", "))
}
