package openapi

import (
	"mizzen.dev/internal/wire"
	"mizzen.dev/model/frame"
)

// v2 are the paths of the Open Inference Protocol for one model.
func (b *builder) v2(e *entry) {
	b.defineV2()
	var outputs []any
	for _, o := range e.Metadata().Outputs {
		outputs = append(outputs, o.Name)
	}
	b.define(e.component("V2Request"), fields(schema{}, required("inputs"),
		field{"id", schema{Type: "string", Description: "A name for the request; the answer has it too."}},
		field{"parameters", schema{Type: "object"}},
		field{"inputs", schema{Type: "array", Items: refTo("V2Tensor"), MinItems: number(1), Description: "One tensor of rows, or one a column."}},
		field{"outputs", schema{Type: "array", Description: "The outputs to answer; without it, " + e.sig.Default().String() + ".",
			Items: &schema{Type: "object", Required: required("name"), Properties: object("name", schema{Type: "string", Examples: outputs})}}},
	))
	request := func() *requestBody {
		return &requestBody{Required: true, Content: object("application/json", mediaType{
			Schema:   refTo(e.component("V2Request")),
			Examples: object("one", example{"one row", e.v2Example()}),
		})}
	}
	infer := func() ordered[response] { return answers("The outputs as tensors.", refTo("V2Response")) }
	version := []parameter{e.versionParameter()}
	metadata := ok("Inputs and outputs with their names, datatypes and shapes.", ref("V2Metadata"))

	for _, at := range []struct {
		path, suffix string
		parameters   []parameter
	}{{"/v2/models/" + e.path, "", nil}, {"/v2/models/" + e.path + "/versions/{version}", "Version", version}} {
		b.get(at.path, &operation{
			Tags: []string{"v2"}, OperationID: e.operation("v2Metadata" + at.suffix), group: groupMetadata, Parameters: at.parameters,
			Summary: "Metadata", Responses: metadata,
		})
		b.get(at.path+"/ready", &operation{
			Tags: []string{"v2"}, OperationID: e.operation("v2Ready" + at.suffix), group: groupMetadata, Parameters: at.parameters,
			Summary: "Is the model ready?", Responses: ok("Yes; any other status means no.", schema{Type: "object"}),
		})
		b.post(at.path+"/infer", &operation{
			Tags: []string{"v2"}, OperationID: e.operation("v2Infer" + at.suffix), Parameters: at.parameters,
			Summary: "Infer", Description: "Tensors may be binary, with the header Inference-Header-Content-Length.",
			RequestBody: request(), Responses: infer(),
		})
	}
}

// defineV2 defines what the models share, once.
func (b *builder) defineV2() {
	for _, m := range b.doc.Components.Schemas.members {
		if m.name == "V2Tensor" {
			return
		}
	}
	datatypes := schema{Enum: []any{}}
	for d := wire.BOOL; d <= wire.BYTES; d++ {
		datatypes.Enum = append(datatypes.Enum, d.String())
	}
	shape := schema{Type: "array", Items: &schema{Type: "integer"}}
	tensor := func(needed ...string) schema {
		return fields(schema{}, needed,
			field{"name", schema{Type: "string"}}, field{"shape", shape}, field{"datatype", datatypes},
			field{"parameters", schema{Type: "object"}}, field{"data", schema{Type: "array", Description: "The elements, flat (row-major) or nested."}})
	}
	b.define("V2Tensor", tensor("name", "shape", "datatype"))
	b.define("V2Response", fields(schema{}, required("model_name", "outputs"),
		field{"model_name", schema{Type: "string"}}, field{"model_version", schema{Type: "string"}}, field{"id", schema{Type: "string"}},
		field{"outputs", schema{Type: "array", Items: refTo("V2Tensor")}}))
	described := fields(schema{}, required("name", "datatype", "shape"),
		field{"name", schema{Type: "string"}}, field{"datatype", datatypes}, field{"shape", shape})
	b.define("V2Metadata", fields(schema{}, required("name", "platform", "inputs", "outputs"),
		field{"name", schema{Type: "string"}}, field{"versions", schema{Type: "array", Items: &schema{Type: "string"}}},
		field{"platform", schema{Type: "string"}},
		field{"inputs", schema{Type: "array", Items: &described}}, field{"outputs", schema{Type: "array", Items: &described}}))
}

type tensor struct {
	Name     string  `json:"name"`
	Shape    []int64 `json:"shape"`
	Datatype string  `json:"datatype"`
	Data     []any   `json:"data"`
}

// v2Example is a request for one row, in the form that the metadata tells.
func (e *entry) v2Example() any {
	inputs := e.Metadata().Inputs
	tensors := make([]tensor, len(inputs))
	for i, in := range inputs {
		t := tensor{Name: in.Name, Datatype: in.Datatype, Shape: []int64{1}}
		switch {
		case len(in.Shape) == 1 && i < len(e.sig.Features):
			t.Datatype, t.Data = column(e.sig.Features[i], in.Datatype)
		case len(in.Shape) == 1:
			t.Data = []any{blank(in.Datatype)}
		default:
			t.Shape = []int64{1, int64(max(e.sig.Width, 1))}
			for j := range int(t.Shape[1]) {
				value := blank(in.Datatype)
				if j < len(e.sig.Features) {
					value = exampleValue(e.sig.Features[j])
				}
				t.Data = append(t.Data, value)
			}
		}
		tensors[i] = t
	}
	return object("inputs", tensors)
}

// column returns an example of a tensor of one column. A column of any type has the
// datatype of its example: to an encoder that knows True, the text "True" is
// another value.
func column(f frame.Feature, datatype string) (string, []any) {
	value := exampleValue(f)
	if datatype != wire.BYTES.String() {
		return datatype, []any{value}
	}
	switch value := value.(type) {
	case int:
		datatype = wire.INT64.String()
	case frame.Value:
		switch value.Kind() {
		case frame.KindBool:
			datatype = wire.BOOL.String()
		case frame.KindInt:
			datatype = wire.INT64.String()
		case frame.KindFloat:
			datatype = wire.FP64.String()
		}
	}
	return datatype, []any{value}
}

// blank is an element of a tensor of which nothing is known.
func blank(datatype string) any {
	if datatype == wire.BYTES.String() {
		return "text"
	}
	return 0
}
