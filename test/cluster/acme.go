//go:build linux

package cluster

// challengeDNSPort is of the DNS that ACME's challenges are answered by.
const challengeDNSPort = "8053"
