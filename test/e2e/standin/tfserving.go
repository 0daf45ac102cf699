package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tfServing is tensorflow_model_server.
func tfServing(args []string) (*server, error) {
	flags := flag.NewFlagSet("tensorflow_model_server", flag.ContinueOnError)
	grpc := flags.Int("port", 8500, "")
	rest := flags.Int("rest_api_port", 0, "")
	flags.Int("rest_api_timeout_in_ms", 30000, "")
	model := flags.String("model_name", "default", "")
	base := flags.String("model_base_path", "", "")
	monitoring := flags.String("monitoring_config_file", "", "")
	flags.Bool("enable_batching", false, "")
	batching := flags.String("batching_parameters_file", "", "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	version, err := savedModel(*base)
	if err != nil {
		return nil, err
	}
	if *batching != "" {
		if _, err := os.ReadFile(*batching); err != nil {
			return nil, err
		}
	}
	metricsPath, err := monitoringPath(*monitoring)
	if err != nil {
		return nil, err
	}
	metrics := newTFMetrics(filepath.Join(*base, version))
	api := http.NewServeMux()
	status := "/v1/models/" + *model
	api.HandleFunc("GET "+status, answer(fmt.Sprintf(`{"model_version_status":[{"version":%q,"state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}`, version)))
	api.HandleFunc("GET "+status+"/metadata", answer(fmt.Sprintf(`{"model_spec":{"name":%q,"signature_name":"","version":%q},"metadata":{}}`, *model, version)))
	// A pattern of a ServeMux takes no colon after a name.
	api.HandleFunc("POST /v1/models/{call}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("call") != *model+":predict" {
			http.NotFound(w, r)
			return
		}
		start := time.Now()
		answer(`{"predictions":[]}`)(w, r)
		observe(metrics, *model, time.Since(start))
	})
	api.Handle("GET "+metricsPath, metrics)
	return &server{ports: map[string]http.Handler{":" + strconv.Itoa(*grpc): http.NotFoundHandler(), ":" + strconv.Itoa(*rest): api}}, nil
}

// savedModel finds the latest version below the base path, and the model in it.
func savedModel(base string) (string, error) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return "", fmt.Errorf("could not find the base path: %w", err)
	}
	latest := -1
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			latest = max(latest, n)
		}
	}
	if latest < 0 {
		return "", fmt.Errorf("no versions of servable found under base path %s", base)
	}
	version := strconv.Itoa(latest)
	if _, err := os.Stat(filepath.Join(base, version, "saved_model.pb")); err != nil {
		return "", fmt.Errorf("could not find the SavedModel: %w", err)
	}
	variables := filepath.Join(base, version, "variables")
	if _, err := os.Stat(variables); err != nil { // a model without any
		return version, nil
	}
	if _, err := os.ReadFile(filepath.Join(variables, "variables.index")); err != nil {
		return "", fmt.Errorf("could not read the variables: %w", err)
	}
	return version, nil
}

// monitoringPath is where the monitoring configuration, a text of protocol buffers, has
// metrics served.
func monitoringPath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	path := regexp.MustCompile(`(?s)^prometheus_config\s*\{.*enable:\s*true.*path:\s*"([^"]+)"`).FindSubmatch(text)
	if path == nil {
		return "", fmt.Errorf("%s enables no metrics: %s", file, strings.TrimSpace(string(text)))
	}
	return string(path[1]), nil
}

const (
	requestCount   = ":tensorflow:serving:request_count"
	requestLatency = ":tensorflow:serving:request_latency"
	loadAttempts   = ":tensorflow:cc:saved_model:load_attempt_count"
)

func newTFMetrics(path string) *page {
	metrics := newPage(map[string]string{requestCount: "counter", requestLatency: "histogram", loadAttempts: "counter"})
	metrics.add(loadAttempts, fmt.Sprintf(`model_path=%q,status="success"`, path), 1)
	return metrics
}

// observe counts a call. Its bounds are microseconds: 10, and 1.8 times as many each.
func observe(metrics *page, model string, took time.Duration) {
	metrics.add(requestCount, fmt.Sprintf(`model_name=%q,status="OK"`, model), 1)
	labels := fmt.Sprintf(`model_name=%q,API="predict",entrypoint="REST"`, model)
	micros := float64(took.Microseconds())
	const first, growth, bounds, digits = 10, 1.8, 33, 6
	for i, bound := 0, float64(first); i < bounds; i, bound = i+1, bound*growth {
		within := 0.0
		if micros <= bound {
			within = 1
		}
		metrics.add(requestLatency+"_bucket", fmt.Sprintf(`%s,le="%s"`, labels, strconv.FormatFloat(bound, 'g', digits, 64)), within)
	}
	metrics.add(requestLatency+"_bucket", labels+`,le="+Inf"`, 1)
	metrics.add(requestLatency+"_sum", labels, micros)
	metrics.add(requestLatency+"_count", labels, 1)
}
