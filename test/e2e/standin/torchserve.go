package main

import (
	"archive/zip"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// torchServe is torchserve: what it does stands in a file that the environment names.
func torchServe(args []string) (*server, error) {
	flags := flag.NewFlagSet("torchserve", flag.ContinueOnError)
	for _, name := range []string{"start", "foreground", "no-config-snapshots", "ncs", "disable-token-auth"} {
		flags.Bool(name, false, "")
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	config, err := properties(os.Getenv("TS_CONFIG_FILE"))
	if err != nil {
		return nil, err
	}
	// It keeps logs, and unpacks archives.
	for _, name := range []string{"LOG_LOCATION", "TEMP"} {
		if err := writable(os.Getenv(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	model, archive, ok := strings.Cut(config["load_models"], "=")
	if !ok {
		return nil, fmt.Errorf("load_models is %q", config["load_models"])
	}
	if err := readArchive(filepath.Join(config["model_store"], archive)); err != nil {
		return nil, err
	}
	metrics := newPage(map[string]string{"ts_inference_requests_total": "counter", "Requests2XX": "counter", "Requests5XX": "counter"})
	host := `Level="Host",Hostname="standin"`
	metrics.add("Requests5XX", host, 0)
	metrics.add("Requests2XX", host, 0)
	requests := fmt.Sprintf(`model_name=%q,model_version="default",hostname="standin"`, model)
	metrics.add("ts_inference_requests_total", requests, 0)
	api := http.NewServeMux()
	api.HandleFunc("GET /ping", answer(`{"status": "Healthy"}`))
	api.HandleFunc("POST /predictions/"+model, func(w http.ResponseWriter, r *http.Request) {
		metrics.add("ts_inference_requests_total", requests, 1)
		metrics.add("Requests2XX", host, 1)
		answer(`[]`)(w, r)
	})
	scrape := http.NewServeMux()
	scrape.Handle("GET /metrics", metrics)
	s := &server{ports: map[string]http.Handler{}}
	for name, handler := range map[string]http.Handler{"inference_address": api, "management_address": http.NotFoundHandler(), "metrics_address": scrape} {
		u, err := url.Parse(config[name])
		if err != nil || u.Port() == "" {
			return nil, fmt.Errorf("%s is %q", name, config[name])
		}
		s.ports[u.Host] = handler
	}
	s.ports[config["grpc_inference_address"]+":"+config["grpc_inference_port"]] = http.NotFoundHandler()
	return s, nil
}

// properties reads a file of Java's properties, as far as one line is one entry.
func properties(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("TS_CONFIG_FILE: %w", err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[key] = value
		}
	}
	return all, nil
}

// writable makes a file in a directory, and takes it away.
func writable(dir string) error {
	if dir == "" {
		return errors.New("not set")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "standin")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// readArchive looks for the manifest of a model archive, or of its directory.
func readArchive(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		_, err := os.ReadFile(filepath.Join(path, "MAR-INF", "MANIFEST.json"))
		return err
	}
	if filepath.Ext(path) != ".mar" {
		return fmt.Errorf("%s is no .mar", path)
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("opening the archive %s: %w", path, err)
	}
	for _, f := range archive.File {
		if f.Name == "MAR-INF/MANIFEST.json" {
			return archive.Close()
		}
	}
	return errors.Join(fmt.Errorf("the archive %s has no manifest", path), archive.Close())
}
