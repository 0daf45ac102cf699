package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// settings are ConfigMaps of the environment and of the runtime's files. They cannot
// change, and have the hash of what is in them in their names: pods of an older
// revision go on with what they were started with.
func (r *renderer) settings() {
	if len(r.spec.Config) > 0 {
		data := make(map[string]string, len(r.spec.Config))
		for name, value := range r.spec.Config {
			data[name] = string(value)
		}
		r.configMap(r.configName(), data)
	}
	if len(r.profile.files) > 0 {
		r.configMap(r.filesName(), r.profile.files)
	}
	if r.DevelopmentSecrets {
		r.developmentSecrets()
	}
}

func (r *renderer) configMap(name string, data map[string]string) {
	r.add(corev1ac.ConfigMap(name, r.Model.Namespace).WithLabels(r.labels()).WithImmutable(true).WithData(data))
}

// configName is the name of the ConfigMap with the environment.
func (r *renderer) configName() string { return r.name("config-" + r.configHash()) }

// filesName is the name of the ConfigMap with the runtime's files.
func (r *renderer) filesName() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.profile.files)) {
		fmt.Fprintf(&b, "%s=%q\n", name, r.profile.files[name])
	}
	return r.name("runtime-" + hash(b.String()))
}

// developmentValue is what stands in Secrets that are made up. It is no secret.
const developmentValue = "development-only"

// developmentSecrets are the Secrets that the Model names, with values made up, so
// that it runs on a desk.
func (r *renderer) developmentSecrets() {
	keys := map[string]map[string][]byte{}
	need := func(name, key string) {
		if keys[name] == nil {
			keys[name] = map[string][]byte{}
		}
		keys[name][key] = []byte(developmentValue)
	}
	if a := r.spec.Auth; a != nil {
		need(a.APIKeys.Name, a.APIKeys.Key)
	}
	for _, s := range r.spec.Secrets {
		need(s.SecretRef.Name, s.SecretRef.Key)
	}
	if s := r.spec.Source.SecretRef; s != nil {
		for _, key := range credentialKeys(r.spec.Source.URI) {
			need(s.Name, key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		r.add(corev1ac.Secret(name, r.Model.Namespace).WithLabels(r.labels()).WithData(keys[name]))
	}
}

// credentialKeys are the variables that a store of the scheme of uri wants.
func credentialKeys(uri string) []string {
	scheme, _, _ := strings.Cut(uri, "://")
	switch scheme {
	case "s3":
		return []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	case "azblob":
		return []string{"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"}
	case "hf":
		return []string{"HF_TOKEN"}
	}
	return nil
}
