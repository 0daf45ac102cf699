package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mizzen.dev/api/v1alpha1"
)

// hashLength is how many hexadecimal digits of a SHA-256 stand in names and labels.
const hashLength = 10

// Hashed is a hash in the objects, the first digits of a SHA-256, and the text that
// it is over, for templates that work it out again.
type Hashed struct{ Name, Hash, Text string }

// hashed returns the hash of a text and keeps both for the result.
func (r *renderer) hashed(name, text string, digits int) string {
	sum := sha256.Sum256([]byte(text))
	h := hex.EncodeToString(sum[:])[:digits]
	if !slices.ContainsFunc(r.result.Hashed, func(k Hashed) bool { return k.Name == name }) {
		r.result.Hashed = append(r.result.Hashed, Hashed{name, h, text})
	}
	return h
}

// hash shortens a text to what tells it from others of the same Model.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:hashLength]
}

// revision is the hash of what the pods run. It is over these lines, each ended by a
// newline, so that a template of a chart can work it out, too (sprig's sha256sum):
//
//	version=0.1.0
//	runtime=mizzen
//	image=registry.example.com/mizzen:1.2.0
//	source=s3://models/iris/0.1.0/model.pkl
//	digest=sha256:…
//	config=0123456789
//	arg="--max-rows=10"
//	env=OMP_NUM_THREADS="1"
//	secret=TOKEN=iris-token/value
//
// The image is as the Model names it, and empty where it leaves that to the platform:
// a platform that moves on to a newer mizzen makes no new revision. The config is the
// hash in the name of its ConfigMap, and empty without one. Arguments stand in their
// order, variables and secrets by their names. What is not here (scale, expose,
// resources, and how this version of Mizzen renders) does not make a revision.
func (r *renderer) revision() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, value) }
	line("version", r.spec.Version)
	line("runtime", string(r.runtimeName()))
	line("image", r.namedImage())
	line("source", sourceText(&r.spec.Source))
	line("digest", r.spec.Source.Digest)
	line("config", r.configHash())
	if rt := r.spec.Runtime; rt != nil {
		for _, arg := range rt.Args {
			line("arg", fmt.Sprintf("%q", string(arg)))
		}
		for _, v := range slices.SortedFunc(slices.Values(rt.Env), func(a, b v1alpha1.Variable) int { return strings.Compare(a.Name, b.Name) }) {
			line("env", fmt.Sprintf("%s=%q", v.Name, v.Value))
		}
	}
	for _, s := range slices.SortedFunc(slices.Values(r.spec.Secrets), func(a, b v1alpha1.SecretVariable) int { return strings.Compare(a.Name, b.Name) }) {
		line("secret", s.Name+"="+s.SecretRef.Name+"/"+s.SecretRef.Key)
	}
	return r.hashed("revision", b.String(), hashLength)
}

// sourceText names the source in one line.
func sourceText(s *v1alpha1.Source) string {
	switch {
	case s.ImageVolume != nil:
		return "imageVolume:" + s.ImageVolume.Reference + ":" + s.ImageVolume.Path
	case s.Claim != nil:
		return "claim:" + s.Claim.Name + ":" + s.Claim.Path
	case s.Image != nil:
		return "image:" + s.Image.Reference + ":" + s.Image.Path
	}
	return s.URI
}

// configHash is over a line NAME="VALUE" for each entry of config, by name, the value
// quoted as Go does; "" without config.
func (r *renderer) configHash() string {
	if len(r.spec.Config) == 0 {
		return ""
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.spec.Config)) {
		fmt.Fprintf(&b, "%s=%q\n", name, string(r.spec.Config[name]))
	}
	return r.hashed("config", b.String(), hashLength)
}
