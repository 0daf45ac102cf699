// Package edge tests that what lets requests into the tests' cluster works: Gateway
// and Ingress, and certificates from an authority and over ACME. Run it with
// make e2e-edge.
package edge
