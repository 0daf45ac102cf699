// Package cluster is a real Kubernetes for tests.
package cluster
