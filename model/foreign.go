package model

import (
	"errors"
	"strings"

	"mizzen.dev/internal/format/pickle"
)

const supported = "supported are scikit-learn models saved by joblib.dump or pickle.dump"

// beginnings are those of files that people mistake for a pickle.
var beginnings = []struct{ prefix, kind string }{
	{"\x93NUMPY", "a numpy array (.npy), which holds no model"},
	{"PK\x03\x04", "a zip archive (skops, PyTorch or .npz)"},
	{"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a PyTorch file"},
	{"\x89HDF", "an HDF5 file (Keras)"},
	{"\x08", "an ONNX model"}, // or another protobuf file that begins with its version
	{"CBM1", "a CatBoost model"},
	{"tree\nversion=", "a LightGBM model"},
	{"binf", "an XGBoost model"},
	{"{L\x00\x00", "an XGBoost model"},
	{"PAR1", "a Parquet file, which holds no model"},
	{"version https://git-lfs", "a Git LFS pointer: run git lfs pull to fetch the model itself"},
}

// texts are the beginnings of files of text, in lower case and behind spaces.
var texts = []struct{ prefix, kind string }{
	{`{"`, "a JSON file"},
	{"<!doctype html", "a web page: was something else downloaded than the model?"},
	{"<html", "a web page: was something else downloaded than the model?"},
	{"<?xml", "an XML file: was something else downloaded than the model?"},
}

// foreign names the kind of file that data is, if it is one that people mistake
// for a pickle.
func foreign(data []byte) string {
	if len(data) == 0 {
		return "an empty file"
	}
	head := string(data[:min(len(data), 256)])
	for _, b := range beginnings {
		if strings.HasPrefix(head, b.prefix) {
			return b.kind
		}
	}
	text := strings.ToLower(strings.TrimSpace(head))
	for _, b := range texts {
		if strings.HasPrefix(text, b.prefix) {
			return b.kind
		}
	}
	return ""
}

// shortest is how far a file must be read as a pickle of the first protocols to
// be taken for one: they begin with whatever they hold.
const shortest = 32

// doubtful reports whether a file that could not be read is perhaps no pickle.
func doubtful(data []byte, err error) bool {
	var malformed *pickle.FormatError
	return errors.As(err, &malformed) && malformed.Format == "pickle" && malformed.Offset < shortest && data[0] != '\x80'
}

// holds begins the sentence that says what is at a path in the file.
func holds(path string) string {
	if path == "" {
		return "the file holds"
	}
	return path + " is"
}
