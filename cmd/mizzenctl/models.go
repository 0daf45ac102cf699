package main

import (
	"context"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/manifest"
)

// modelsOf reads the Models of a file, for the namespace that was chosen.
func modelsOf(ctx context.Context, file string, c *cluster.Cluster, s command.Streams) ([]*v1alpha1.Model, error) {
	loader, err := manifest.NewLoader(c.Namespace)
	if err != nil {
		return nil, err
	}
	models, err := loader.LoadFiles(ctx, []string{file}, s.In)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		if c.NamespaceGiven && m.Namespace != c.Namespace {
			return nil, command.Usagef("%s: the Model %s is of namespace %s, and --namespace says %s: leave one of them out", file, m.Name, m.Namespace, c.Namespace)
		}
	}
	return models, nil
}

// targetsOf names the Models of a file.
func targetsOf(ctx context.Context, file string, c *cluster.Cluster, s command.Streams) ([]target, error) {
	models, err := modelsOf(ctx, file, c, s)
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, m := range models {
		targets = append(targets, target{namespace: m.Namespace, name: m.Name})
	}
	return targets, nil
}
