// Package ext stands in for the module of this name that Traefik's own repository
// replaces and nobody publishes: what builds of others add to its configuration.
package ext

// HTTP adds nothing to the configuration of HTTP.
type HTTP struct{}

// Router adds nothing to that of a router.
type Router struct{}
