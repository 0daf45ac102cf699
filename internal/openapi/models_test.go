package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mizzen.dev/internal/fixture"
	"mizzen.dev/internal/openapi"
	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
)

// TestExamplesWork has every model of the newest library answer the examples of its
// own document, in every protocol, and validates the answers.
func TestExamplesWork(t *testing.T) {
	archives, err := fixture.Archives("../../test/fixtures")
	if err != nil {
		t.Fatal(err)
	}
	models := 0
	for _, a := range archives {
		if !strings.HasSuffix(a.Name, "1.9.1") {
			continue
		}
		for c, err := range a.Cases() {
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.Open(t.Context())
			if err != nil { // of a class that is not supported, or to be refused: fixtures test that
				continue
			}
			models++
			t.Run(a.Name+"/"+c.Name, func(t *testing.T) { checkExamples(t, m) })
		}
	}
	if models < 100 {
		t.Errorf("only %d models were tried", models)
	}
}

// What is read of a document to send the examples.
type described struct {
	Paths map[string]struct {
		Post struct {
			RequestBody struct{ Content map[string]content }
			Responses   map[string]struct{ Content map[string]content }
		}
	}
}

type content struct {
	Schema struct {
		Ref string `json:"$ref"`
	}
	Examples map[string]struct{ Value json.RawMessage }
}

func checkExamples(t *testing.T, m *model.Model) {
	schema := wire.NewSchema("m", "1", m.Signature(), wire.Limits{})
	text, err := openapi.Document(openapi.Server{Models: []*wire.Schema{schema}})
	if err != nil {
		t.Fatal(err)
	}
	var doc described
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("doc.json", value); err != nil {
		t.Fatal(err)
	}
	for path, codec := range map[string]wire.Codec{"/predict": wire.Native{}, "/v1/models/m:predict": wire.V1{},
		"/v2/models/m/infer": wire.V2{}, "/invocations": wire.Invocations{}} {
		post := doc.Paths[path].Post
		answer, err := compiler.Compile("doc.json" + post.Responses["200"].Content["application/json"].Schema.Ref)
		if err != nil {
			t.Fatal(err)
		}
		examples := post.RequestBody.Content["application/json"].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no examples", path)
		}
		for name, e := range examples {
			got, err := ask(t.Context(), m, schema, codec, e.Value)
			if err != nil {
				t.Errorf("%s, %s: %s: %v", path, name, e.Value, err)
				continue
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
			if err != nil {
				t.Errorf("%s, %s: the answer is not JSON: %s", path, name, got)
				continue
			}
			if err := answer.Validate(value); err != nil {
				t.Errorf("%s, %s: the answer %s does not fit: %v", path, name, got, err)
			}
		}
	}
}

// ask answers a body as the server does.
func ask(ctx context.Context, m *model.Model, schema *wire.Schema, codec wire.Codec, body []byte) ([]byte, error) {
	req := wire.NewRequest()
	req.Schema, req.Header.ContentType = schema, "application/json"
	if err := codec.Decode(req, body); err != nil {
		return nil, err
	}
	out := req.Arena.Arrays(len(req.Methods))
	if err := m.Predict(ctx, req.Arena, &req.Frame, req.Methods, out); err != nil {
		return nil, req.Explain(err)
	}
	return codec.Encode(nil, req, out)
}
