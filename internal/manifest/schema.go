package manifest

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

// Schema prunes, defaults and validates Models as an API server with their resource
// definition does: by the same code, in the same order, with the same words.
type Schema struct {
	structural *structuralschema.Structural
	values     validation.SchemaValidator
	rules      *cel.Validator
}

// NewSchema compiles the schema of the resource definition, which takes a moment.
func NewSchema() (*Schema, error) {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, &crd); err != nil {
		return nil, fmt.Errorf("reading the resource definition of Models: %w", err)
	}
	for _, version := range crd.Spec.Versions {
		if version.Name == v1alpha1.Version && version.Schema != nil {
			return compile(version.Schema.OpenAPIV3Schema)
		}
	}
	return nil, fmt.Errorf("the resource definition of Models has no version %s", v1alpha1.Version)
}

func compile(v1 *apiextensionsv1.JSONSchemaProps) (*Schema, error) {
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v1, &props, nil); err != nil {
		return nil, fmt.Errorf("converting the schema of Models: %w", err)
	}
	structural, err := structuralschema.NewStructural(&props)
	if err != nil {
		return nil, fmt.Errorf("the schema of Models is not structural: %w", err)
	}
	values, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of Models: %w", err)
	}
	return &Schema{structural: structural, values: values, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// Default sets what a Model leaves out.
func (s *Schema) Default(model map[string]any) {
	defaulting.PruneNonNullableNullsWithoutDefaults(model, s.structural)
	defaulting.Default(model, s.structural)
}

// Unknown returns the paths of fields that there are not, and takes them out.
func (s *Schema) Unknown(model map[string]any) []string {
	return pruning.PruneWithOptions(model, s.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
}

// Validate says what an API server would refuse about a new Model.
func (s *Schema) Validate(ctx context.Context, model map[string]any) field.ErrorList {
	errs := s.metadata(model)
	errs = append(errs, validation.ValidateCustomResource(nil, model, s.values)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, model)...)
	if blocked(errs) {
		return errs
	}
	more, _ := s.rules.Validate(ctx, nil, s.structural, model, nil, celconfig.RuntimeCELCostBudget)
	return append(errs, more...)
}

// ValidateUpdate says what an API server would refuse about a change of a Model that
// it has.
func (s *Schema) ValidateUpdate(ctx context.Context, current, old map[string]any) field.ErrorList {
	same := common.NewCorrelatedObject(current, old, &model.Structural{Structural: s.structural})
	errs := s.metadata(current)
	errs = append(errs, validation.ValidateCustomResourceUpdate(nil, current, old, s.values, validation.WithRatcheting(same))...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, current)...)
	if blocked(errs) {
		return errs
	}
	more, _ := s.rules.Validate(ctx, nil, s.structural, current, old, celconfig.RuntimeCELCostBudget, cel.WithRatcheting(same))
	return append(errs, more...)
}

func (s *Schema) metadata(model map[string]any) field.ErrorList {
	path := field.NewPath("metadata")
	meta, found, err := objectmeta.GetObjectMeta(model, false)
	if err != nil {
		return field.ErrorList{field.Invalid(path, nil, err.Error())}
	}
	if !found {
		return field.ErrorList{field.Required(path, "a Model needs a name")}
	}
	return metavalidation.ValidateObjectMeta(meta, true, metavalidation.NameIsDNSSubdomain, path)
}

// blocked says whether a value is so wrong that the rules cannot be run over it.
func blocked(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}

// siblings are the names of the fields beside the one at the path.
func (s *Schema) siblings(path []segment) []string {
	at := s.structural
	for _, seg := range path[:max(len(path)-1, 0)] {
		switch {
		case at == nil:
			return nil
		case seg.index >= 0:
			at = at.Items
		default:
			next, ok := at.Properties[seg.name]
			if !ok {
				return nil
			}
			at = &next
		}
	}
	if at == nil {
		return nil
	}
	var names []string
	for name := range at.Properties {
		names = append(names, name)
	}
	return names
}
