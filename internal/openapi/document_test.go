package openapi

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func labelsOf(values ...frame.Value) *frame.Classes { return frame.NewClasses(values) }

var (
	yesNo = labelsOf(frame.String("no"), frame.String("yes"))
	three = labelsOf(frame.Int(0), frame.Int(1), frame.Int(2))
)

// signatures are models of every kind of input and output.
func signatures() map[string]*model.Signature {
	classifier := func(c *frame.Classes) []frame.Output {
		return []frame.Output{
			{Method: frame.Predict, Kind: frame.Label, Classes: []*frame.Classes{c}},
			{Method: frame.PredictProba, Kind: frame.Float64, Cols: len(c.Values), Classes: []*frame.Classes{c}},
		}
	}
	return map[string]*model.Signature{
		"iris": {Class: "RandomForestClassifier", Library: "scikit-learn", LibraryVersion: "1.7.2", Width: 4, Numeric: true,
			Features: make([]frame.Feature, 4), Outputs: classifier(three)},
		"table": {Class: "Pipeline", Final: "LogisticRegression", Width: 4, Named: true, ExtraIgnored: true, Outputs: classifier(yesNo),
			Features: []frame.Feature{
				{Name: "age", Missing: true, Example: frame.Float(39.2)},
				{Name: "port", Type: frame.Text, Missing: true, Closed: true, Categories: []frame.Value{frame.String("C"), frame.String("Q"), frame.Float(math.NaN())}, Example: frame.String("Q")},
				{Name: "sex <b>", Type: frame.Text, Categories: []frame.Value{frame.String("female"), frame.String("male")}},
				{Name: "member", Type: frame.Any, Missing: true, Unused: true},
			}},
		"regression": {Class: "Ridge", Width: 2, Named: true, Numeric: true, Features: []frame.Feature{{Name: "x"}, {Name: "y"}},
			Outputs: []frame.Output{{Method: frame.Predict, Kind: frame.Float64, Cols: 2}}},
		"multi-output": {Class: "DecisionTreeClassifier", Width: 1, Numeric: true, Features: make([]frame.Feature, 1), Outputs: []frame.Output{
			{Method: frame.Predict, Kind: frame.Label, Cols: 2, Classes: []*frame.Classes{yesNo, three}},
			{Method: frame.PredictProba, Kind: frame.List, Classes: []*frame.Classes{yesNo, three}}}},
		"label encoder": {Class: "LabelEncoder", Width: 1, Values: true,
			Features: []frame.Feature{{Type: frame.Any, Closed: true, Categories: yesNo.Values}},
			Outputs:  []frame.Output{{Method: frame.Transform, Kind: frame.Int64}}},
		"identity": {Class: "FunctionTransformer", Width: -1, Outputs: []frame.Output{{Method: frame.Transform, Kind: frame.Object, Cols: -1}}},
	}
}

func schemaOf(name string, sig *model.Signature) *wire.Schema {
	return wire.NewSchema(name, "1", sig, wire.Limits{})
}

// decode returns the document as the JSON Schema validator wants it.
func decode(t *testing.T, s Server) (doc map[string]any, text []byte) {
	t.Helper()
	text, err := Document(s)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("the document is not JSON: %v", err)
	}
	return value.(map[string]any), text
}

// TestDocumentIsOpenAPI validates documents against the schema that the OpenAPI
// Initiative publishes.
func TestDocumentIsOpenAPI(t *testing.T) {
	file, err := os.Open("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	definition, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", definition); err != nil {
		t.Fatal(err)
	}
	openAPI, err := compiler.Compile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]Server{
		"no model":       {Version: "v1"},
		"several":        {Version: "v1", Models: []*wire.Schema{schemaOf("a b", signatures()["iris"]), schemaOf("a_b", signatures()["table"])}, Load: true},
		"keys":           {Version: "v1", Models: []*wire.Schema{schemaOf("m", signatures()["iris"])}, Keys: true, Exempt: []string{"probes", "metrics"}},
		"a strange name": {Version: "v1", Models: []*wire.Schema{schemaOf("{x}/y?", signatures()["iris"])}},
	}
	for name, sig := range signatures() {
		servers[name] = Server{Version: "v1", Models: []*wire.Schema{schemaOf(name, sig)}}
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			doc, _ := decode(t, server)
			if err := openAPI.Validate(doc); err != nil {
				t.Error(err)
			}
			checkOperationIDs(t, doc)
		})
	}
}

func checkOperationIDs(t *testing.T, doc map[string]any) {
	t.Helper()
	seen := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			id := op.(map[string]any)["operationId"].(string)
			if seen[id] {
				t.Errorf("%s: operationId %s is there twice", path, id)
			}
			seen[id] = true
		}
	}
}

// compile returns a component's schema as a validator.
func compile(t *testing.T, doc map[string]any, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("doc.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("doc.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExamplesFit validates every example of a request against its schema, and has
// the codec read it.
func TestExamplesFit(t *testing.T) {
	codecs := map[string]wire.Codec{"/predict": wire.Native{}, ":predict": wire.V1{}, "/infer": wire.V2{}, "/invocations": wire.Invocations{}}
	for name, sig := range signatures() {
		t.Run(name, func(t *testing.T) {
			m := schemaOf("m", sig)
			doc, _ := decode(t, Server{Models: []*wire.Schema{m}})
			tried := map[string]int{}
			for path, item := range doc["paths"].(map[string]any) {
				post, _ := item.(map[string]any)["post"].(map[string]any)
				body, _ := post["requestBody"].(map[string]any)
				if body == nil {
					continue
				}
				content := body["content"].(map[string]any)["application/json"].(map[string]any)
				reference := content["schema"].(map[string]any)["$ref"].(string)
				validator := compile(t, doc, strings.TrimPrefix(reference, "#/components/schemas/"))
				for title, ex := range content["examples"].(map[string]any) {
					value := ex.(map[string]any)["value"]
					if err := validator.Validate(value); err != nil {
						t.Errorf("%s, %s: %v", path, title, err)
					}
					text, err := json.Marshal(value)
					if err != nil {
						t.Fatal(err)
					}
					for suffix, codec := range codecs {
						if !strings.HasSuffix(path, suffix) {
							continue
						}
						req := wire.NewRequest()
						req.Schema, req.Header.ContentType = m, "application/json"
						if err := codec.Decode(req, text); err != nil {
							t.Errorf("%s, %s: %s: %v", path, title, text, err)
						}
						tried[suffix]++
					}
				}
			}
			for suffix := range codecs {
				if tried[suffix] == 0 {
					t.Errorf("no example of %s", suffix)
				}
			}
		})
	}
}

func TestDocumentTellsTheModel(t *testing.T) {
	doc, _ := decode(t, Server{Models: []*wire.Schema{schemaOf("titanic", signatures()["table"])}})
	record := compile(t, doc, "Record")
	row := compile(t, doc, "Row")
	response := compile(t, doc, "PredictResponse")
	tests := map[string]struct {
		schema *jsonschema.Schema
		body   string
		valid  bool
	}{
		"a record":                {record, `{"age":1,"port":"C","sex <b>":"male"}`, true},
		"a missing value":         {record, `{"age":null,"port":null,"sex <b>":"male"}`, true},
		"an unknown category":     {record, `{"age":1,"port":"X","sex <b>":"male"}`, false},
		"one that is accepted":    {record, `{"age":1,"port":"C","sex <b>":"other"}`, true},
		"text for a number":       {record, `{"age":"1","port":"C","sex <b>":"male"}`, false},
		"null where none may be":  {record, `{"age":1,"port":"C","sex <b>":null}`, false},
		"a feature is not there":  {record, `{"age":1,"port":"C"}`, false},
		"more than the model has": {record, `{"age":1,"port":"C","sex <b>":"male","x":1}`, true},
		"a row":                   {row, `[1,"C","male",true]`, true},
		"a short row":             {row, `[1,"C","male"]`, false},
		"labels":                  {response, `{"prediction":["yes","no"]}`, true},
		"another label":           {response, `{"prediction":["maybe"]}`, false},
		"probabilities":           {response, `{"prediction":["yes"],"predict_proba":[[0.25,0.75]]}`, true},
		"too many probabilities":  {response, `{"prediction":["yes"],"predict_proba":[[0.25,0.75,0]]}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := test.schema.Validate(value); (err == nil) != test.valid {
				t.Errorf("%s: valid is %v, want %v: %v", test.body, err == nil, test.valid, err)
			}
		})
	}
}

// TestFeatureOrder holds because rows stand in training order.
func TestFeatureOrder(t *testing.T) {
	_, text := decode(t, Server{Models: []*wire.Schema{schemaOf("m", signatures()["table"])}})
	var doc struct {
		Components struct {
			Schemas struct {
				Record struct{ Properties json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var at []int
	for _, f := range signatures()["table"].Features {
		name, _ := json.Marshal(f.Name)
		at = append(at, bytes.Index(doc.Components.Schemas.Record.Properties, append(name, ':')))
	}
	if !slices.IsSorted(at) || at[0] < 0 {
		t.Errorf("features stand at %v in %s", at, doc.Components.Schemas.Record.Properties)
	}
}

func TestSecurity(t *testing.T) {
	doc, _ := decode(t, Server{Models: []*wire.Schema{schemaOf("m", signatures()["iris"])}, Keys: true, Exempt: []string{"probes", "metrics"}})
	tests := map[string]bool{"/predict post": true, "/v2/models/m/infer post": true, "/v2/models/m get": true, "/openapi.json get": true,
		"/readyz get": false, "/metrics get": false}
	for name, needsKey := range tests {
		path, method, _ := strings.Cut(name, " ")
		op := doc["paths"].(map[string]any)[path].(map[string]any)[method].(map[string]any)
		_, own := op["security"]
		_, refusal := op["responses"].(map[string]any)["401"]
		if own == needsKey || refusal != needsKey {
			t.Errorf("%s: an exemption is %v, a 401 is %v; needs a key: %v", name, own, refusal, needsKey)
		}
	}
}

// TestWideModels keeps the document small for models with very many features and
// categories.
func TestWideModels(t *testing.T) {
	sig := &model.Signature{Width: 20_000, Named: true, Numeric: true, Outputs: signatures()["iris"].Outputs}
	for i := range sig.Width {
		sig.Features = append(sig.Features, frame.Feature{Name: strings.Repeat("f", 20) + string(rune('a'+i%26))})
	}
	many := make([]frame.Value, 100_000)
	for i := range many {
		many[i] = frame.Int(int64(i))
	}
	encoder := &model.Signature{Width: 1, Features: []frame.Feature{{Type: frame.Any, Closed: true, Categories: many}},
		Outputs: []frame.Output{{Method: frame.Predict, Kind: frame.Label, Classes: []*frame.Classes{frame.NewClasses(many)}}}}
	for name, s := range map[string]*model.Signature{"features": sig, "categories": encoder} {
		_, text := decode(t, Server{Models: []*wire.Schema{schemaOf("m", s)}})
		if len(text) > 1<<20 {
			t.Errorf("many %s make a document of %d bytes", name, len(text))
		}
	}
}
