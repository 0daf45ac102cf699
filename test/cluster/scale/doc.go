// Package scale tests that what scales pods in the tests' cluster works: metrics-server
// for HPAs, and Prometheus and KEDA. Run it with make e2e-scale.
package scale
