package wire

import (
	"encoding/json"
	"strconv"
	"strings"

	"mizzen.dev/model/frame"
)

// TensorMetadata describes an input or an output of a model, as the Open
// Inference Protocol does. A dimension of -1 may have any size.
type TensorMetadata struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
}

// ModelMetadata is the metadata of a model in the Open Inference Protocol.
type ModelMetadata struct {
	Name     string           `json:"name"`
	Versions []string         `json:"versions,omitempty"`
	Platform string           `json:"platform"`
	Inputs   []TensorMetadata `json:"inputs"`
	Outputs  []TensorMetadata `json:"outputs"`
}

// Metadata describes the model for the Open Inference Protocol.
func (s *Schema) Metadata() ModelMetadata {
	m := ModelMetadata{Name: s.Name, Platform: s.platform(), Inputs: s.inputMetadata()}
	if s.Version != "" {
		m.Versions = []string{s.Version}
	}
	for _, o := range s.Signature.Outputs {
		m.Outputs = append(m.Outputs, outputMetadata(o)...)
	}
	return m
}

// platform is PROJECT_FORMAT, as the protocol asks for: scikit-learn_joblib.
func (s *Schema) platform() string {
	format := s.Signature.Format // "joblib (zlib), pickle protocol 4"
	if end := strings.IndexAny(format, " ,"); end >= 0 {
		format = format[:end]
	}
	if format == "" {
		return s.Signature.Library
	}
	return s.Signature.Library + "_" + format
}

func (s *Schema) inputMetadata() []TensorMetadata {
	switch {
	case s.Signature.Values && s.dense:
		return []TensorMetadata{{Name: inputPrefix + "0", Datatype: FP64.String(), Shape: []int64{-1}}}
	case s.dense:
		return []TensorMetadata{{Name: inputPrefix + "0", Datatype: FP64.String(), Shape: []int64{-1, int64(s.width)}}}
	case s.width < 0:
		return []TensorMetadata{{Name: inputPrefix + "0", Datatype: BYTES.String(), Shape: []int64{-1, -1}}}
	}
	inputs := make([]TensorMetadata, s.width)
	for j := range inputs {
		inputs[j] = TensorMetadata{Name: inputPrefix + strconv.Itoa(j), Datatype: BYTES.String(), Shape: []int64{-1}}
		if s.index != nil {
			inputs[j].Name = s.Signature.Features[j].Name
		}
		if s.column(j) == frame.Number {
			inputs[j].Datatype = FP64.String()
		}
	}
	return inputs
}

// outputMetadata describes a method: one tensor, or one a target where
// scikit-learn answers with a list of matrices.
func outputMetadata(o frame.Output) []TensorMetadata {
	name := o.Method.String()
	if o.Kind == frame.List {
		parts := make([]TensorMetadata, len(o.Classes))
		for i, c := range o.Classes {
			parts[i] = TensorMetadata{Name: name + "_" + strconv.Itoa(i), Datatype: FP64.String(), Shape: []int64{-1, int64(len(c.Values))}}
		}
		return parts
	}
	m := TensorMetadata{Name: name, Datatype: datatypeOf(o.Kind).String(), Shape: []int64{-1}}
	if o.Kind == frame.Label {
		m.Datatype = datatypeOfClasses(o.Classes).String()
	}
	if o.Cols != 0 {
		m.Shape = []int64{-1, int64(o.Cols)}
	}
	return []TensorMetadata{m}
}

// AppendMetadataV2 appends the body of GET /v2/models/NAME.
func (s *Schema) AppendMetadataV2(dst []byte) []byte { return append(dst, s.metadataV2...) }

// Extensions are the extensions of the Open Inference Protocol that are served.
func Extensions() []string { return []string{"binary_tensor_data", "model_repository"} }

// AppendServerMetadata appends the body of GET /v2.
func AppendServerMetadata(dst []byte, version string) []byte {
	return appendValue(dst, struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}{ServerName, version, Extensions()})
}

// ServerName is what the server calls itself in the Open Inference Protocol.
const ServerName = "mizzen"

// AppendModels appends the body of GET /v1/models.
func AppendModels(dst []byte, names []string) []byte {
	if names == nil {
		names = []string{}
	}
	return appendValue(dst, struct {
		Models []string `json:"models"`
	}{names})
}

// AppendReadyV1 appends the body of GET /v1/models/NAME, as KServe answers it.
func AppendReadyV1(dst []byte, name string, ready bool) []byte {
	return appendValue(dst, struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}{name, ready})
}

// appendValue appends v, which consists of strings, numbers and booleans, as JSON.
func appendValue(dst []byte, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil { // no such value has one
		return append(dst, "null"...)
	}
	return append(dst, body...)
}
