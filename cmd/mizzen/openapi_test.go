package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
)

// startServer serves on a free port, and returns its address.
func startServer(t *testing.T, change func(*config.Config)) string {
	t.Helper()
	cfg := config.Default()
	cfg.Address, cfg.Port, cfg.GRPC, cfg.ReloadInterval = "127.0.0.1", 0, false, 0
	change(cfg)
	server, err := serve.New(t.Context(), cfg, serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return "http://" + server.Addr().String()
}

// TestServerIsAsDescribed calls every operation of a server's own OpenAPI document,
// and validates the answers.
func TestServerIsAsDescribed(t *testing.T) {
	servers := map[string]func(*config.Config){
		"numbers": func(c *config.Config) { c.Path = "../../examples/iris/model.pkl" },
		"table":   func(c *config.Config) { c.Path = "testdata/table.joblib" },
		"keys": func(c *config.Config) {
			c.Path, c.APIKeys, c.AllowLoad = "../../examples/iris/model.pkl", []string{"secret"}, true
		},
	}
	for name, change := range servers {
		t.Run(name, func(t *testing.T) {
			base := startServer(t, change)
			var text []byte
			if status, body, _ := send(t, http.MethodGet, base+"/openapi.json", nil); status == http.StatusOK {
				text = body
			} else {
				t.Fatalf("status %d: %s", status, body)
			}
			var doc struct {
				Paths map[string]map[string]operation
			}
			if err := json.Unmarshal(text, &doc); err != nil {
				t.Fatal(err)
			}
			validators := jsonschema.NewCompiler()
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := validators.AddResource("doc.json", value); err != nil {
				t.Fatal(err)
			}
			called := 0
			for path, item := range doc.Paths {
				for method, op := range item {
					called++
					pointer := "doc.json#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method
					op.check(t, validators, pointer, strings.ToUpper(method), base+path)
				}
			}
			if called < 20 {
				t.Errorf("the document has %d operations", called)
			}
		})
	}
}

// operation is what is read of an operation to call it.
type operation struct {
	Parameters []struct {
		Name    string
		Example string
	}
	RequestBody struct {
		Content map[string]struct {
			Examples map[string]struct{ Value json.RawMessage }
		}
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema any }
	}
}

func (op *operation) check(t *testing.T, validators *jsonschema.Compiler, pointer, method, url string) {
	t.Helper()
	if strings.HasSuffix(url, "load") { // changes the server; its own tests call it
		return
	}
	for _, p := range op.Parameters {
		url = strings.ReplaceAll(url, "{"+p.Name+"}", p.Example)
	}
	bodies := [][]byte{nil}
	if examples := op.RequestBody.Content["application/json"].Examples; len(examples) > 0 {
		bodies = nil
		for _, e := range examples {
			bodies = append(bodies, e.Value)
		}
	}
	for _, body := range bodies {
		status, answer, contentType := send(t, method, url, body)
		if status != http.StatusOK {
			t.Errorf("%s %s with %s: status %d: %s", method, url, body, status, answer)
			continue
		}
		mediaType, _, _ := strings.Cut(contentType, ";")
		described, ok := op.Responses["200"].Content[mediaType]
		if !ok {
			t.Errorf("%s %s answers %q, which is not described", method, url, mediaType)
		}
		if described.Schema == nil || mediaType != "application/json" {
			continue
		}
		schema, err := validators.Compile(pointer + "/responses/200/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
		if err != nil {
			t.Errorf("%s %s: %s is not JSON", method, url, answer)
			continue
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s %s: %s: %v", method, url, answer, err)
		}
	}
}

func send(t *testing.T, method, url string, body []byte) (status int, answer []byte, contentType string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-API-Key", "secret")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer, response.Header.Get("Content-Type")
}
