package kustomization

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// overlay collects the files of one environment.
type overlay struct {
	dir       string
	files     map[string][]byte
	resources []string
	images    []any
	patches   []any
}

// add writes what makes the objects of the environment out of those of the base:
// first the three things that people change by hand (images, the number of pods,
// resources), then all else that is different. The entry of the image is kept, or made if
// it is nil.
func (o *overlay) add(model *v1alpha1.Model, base, environment *render.Result, entry map[string]any) error {
	if entry == nil {
		entry = imageEntry(base.Image)
	}
	o.addImage(entry)
	left := map[identity]*unstructured.Unstructured{}
	for _, object := range base.Objects {
		left[identityOf(object)] = object.DeepCopy()
	}
	var fresh []*unstructured.Unstructured
	for _, object := range environment.Objects {
		id := identityOf(object)
		from, ok := left[id]
		if !ok {
			fresh = append(fresh, object)
			continue
		}
		delete(left, id)
		if err := o.patch(model, id, from, object); err != nil {
			return err
		}
	}
	for _, object := range base.Objects {
		if _, gone := left[identityOf(object)]; gone {
			if err := o.remove(object); err != nil {
				return err
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	written, err := render.YAML(fresh)
	o.resources = append(o.resources, o.write(model.Name+"-more.yaml", written))
	return err
}

// imageEntry names the image as it is, for whoever bumps it.
func imageEntry(image string) map[string]any {
	name, digest, _ := strings.Cut(image, "@")
	tag := ""
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
	}
	entry := map[string]any{"name": name}
	if tag != "" {
		entry["newTag"] = tag
	}
	if digest != "" {
		entry["digest"] = digest
	}
	return entry
}

func (o *overlay) addImage(entry map[string]any) {
	same := func(other any) bool { return other.(map[string]any)["name"] == entry["name"] }
	if len(entry) > 1 && !slices.ContainsFunc(o.images, same) {
		o.images = append(o.images, entry)
	}
}

// patch writes the patches of one object.
func (o *overlay) patch(model *v1alpha1.Model, id identity, from, to *unstructured.Unstructured) error {
	if id.kind == "Deployment" {
		if err := o.patchRevision(model, id, to); err != nil {
			return err
		}
	}
	for _, k := range knobs(id.kind) {
		if err := o.turn(model, k, from, to); err != nil {
			return err
		}
	}
	from.SetNamespace(to.GetNamespace()) // kustomize does that
	return o.writePatch(id, id.file(""), difference("", from.Object, to.Object))
}

func revisionFile(model *v1alpha1.Model) string { return model.Name + "-revision.yaml" }

// patchRevision names the revision as it is: with the image, it changes.
func (o *overlay) patchRevision(model *v1alpha1.Model, id identity, to *unstructured.Unstructured) error {
	labels, _, err := unstructured.NestedStringMap(to.Object, "spec", "template", "metadata", "labels")
	if err != nil {
		return err
	}
	at := "/spec/template/metadata/labels/" + strings.ReplaceAll(render.RevisionLabel, "/", "~1")
	return o.writePatch(id, revisionFile(model), []operation{{"replace", at, labels[render.RevisionLabel]}})
}

func (o *overlay) writePatch(id identity, file string, operations []operation) error {
	if len(operations) == 0 {
		return nil
	}
	written, err := yaml.Marshal(operations)
	o.patches = append(o.patches, map[string]any{"path": o.write(file, written), "target": id.target()})
	return err
}

// remove writes the patch that takes an object of the base away.
func (o *overlay) remove(object *unstructured.Unstructured) error {
	id := identityOf(object)
	written, err := yaml.Marshal(map[string]any{"$patch": "delete", "apiVersion": object.GetAPIVersion(), "kind": id.kind,
		"metadata": map[string]any{"name": id.name, "namespace": object.GetNamespace()}})
	o.patches = append(o.patches, map[string]any{"path": o.write(id.file("-delete"), written)})
	return err
}

// write keeps a file of the overlay and returns its name in it.
func (o *overlay) write(name string, content []byte) string {
	o.files[path.Join(o.dir, name)] = content
	return name
}

// knob is a part of an object that people change by hand: it has a patch of its own,
// also where the environment is as the base.
type knob struct {
	file  string
	paths [][]string
}

func knobs(kind string) []knob {
	switch kind {
	case "Deployment":
		return []knob{{"scale", [][]string{{"spec", "replicas"}}}, {"resources", nil}}
	case "HorizontalPodAutoscaler":
		return []knob{{"scale", [][]string{{"spec", "minReplicas"}, {"spec", "maxReplicas"}}}}
	case "ScaledObject":
		return []knob{{"scale", [][]string{{"spec", "minReplicaCount"}, {"spec", "maxReplicaCount"}}}}
	}
	return nil
}

// turn writes the patch of a knob and does to from what it will do.
func (o *overlay) turn(model *v1alpha1.Model, k knob, from, to *unstructured.Unstructured) error {
	patch := map[string]any{"apiVersion": to.GetAPIVersion(), "kind": to.GetKind(),
		"metadata": map[string]any{"name": to.GetName(), "namespace": from.GetNamespace()}}
	if k.file == "resources" {
		return o.turnResources(model, patch, from, to)
	}
	found := false
	for _, at := range k.paths {
		value, ok, err := unstructured.NestedFieldCopy(to.Object, at...)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		found = true
		if err := unstructured.SetNestedField(patch, value, at...); err != nil {
			return err
		}
		if err := unstructured.SetNestedField(from.Object, value, at...); err != nil {
			return err
		}
	}
	if !found {
		return nil
	}
	return o.writeKnob(model.Name+"-"+k.file+".yaml", patch)
}

func (o *overlay) turnResources(model *v1alpha1.Model, patch map[string]any, from, to *unstructured.Unstructured) error {
	at := []string{"spec", "template", "spec", "containers"}
	theirs, _, err := unstructured.NestedSlice(to.Object, at...)
	if err != nil {
		return err
	}
	ours, _, err := unstructured.NestedSlice(from.Object, at...)
	if err != nil {
		return err
	}
	if len(theirs) != 1 || len(ours) != 1 {
		return fmt.Errorf("the Deployment %s has %d containers, expected the server alone", to.GetName(), len(theirs))
	}
	server, before := theirs[0].(map[string]any), ours[0].(map[string]any)
	resources, ok := server["resources"].(map[string]any)
	if !ok {
		return nil
	}
	before["resources"] = resources
	if err := unstructured.SetNestedSlice(from.Object, ours, at...); err != nil {
		return err
	}
	container := map[string]any{"name": server["name"], "resources": resources}
	if err := unstructured.SetNestedSlice(patch, []any{container}, at...); err != nil {
		return err
	}
	return o.writeKnob(model.Name+"-resources.yaml", patch)
}

func (o *overlay) writeKnob(file string, patch map[string]any) error {
	written, err := yaml.Marshal(patch)
	o.patches = append(o.patches, map[string]any{"path": o.write(file, written)})
	return err
}
