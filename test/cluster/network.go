//go:build linux

package cluster

import "context"

// layNetwork makes the bridge. Nodes are joined to it as they start.
func (c *Cluster) layNetwork(ctx context.Context) error {
	s := c.site
	// Without it the kernel shows packets between pods of one node to no filter. It
	// may be built in, or loaded already: whether it is there, a node's start tells.
	_ = run(ctx, "modprobe", "br_netfilter")
	for _, args := range [][]string{
		{"link", "add", s.bridge(), "type", "bridge"},
		{"addr", "add", s.host() + "/24", "dev", s.bridge()},
		{"link", "set", s.bridge(), "up"},
	} {
		if err := ip(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// layNodeNetwork makes a node's network namespace, its cable to the bridge, and the
// routes between it, the other nodes' pods and this machine. Services are reached from
// this machine through the first node.
func (c *Cluster) layNodeNetwork(ctx context.Context, n, of int) error {
	s, name := c.site, c.site.nodeName(n)
	steps := [][]string{
		{"ip", "netns", "add", name},
		{"ip", "link", "add", s.link(n), "type", "veth", "peer", "name", "eth0", "netns", name},
		{"ip", "link", "set", s.link(n), "master", s.bridge(), "up"},
	}
	inside := func(args ...string) {
		steps = append(steps, append([]string{"nsenter", "--net=/run/netns/" + name}, args...))
	}
	inside("ip", "link", "set", "lo", "up")
	inside("ip", "addr", "add", s.nodeAddress(n)+"/24", "dev", "eth0")
	inside("ip", "link", "set", "eth0", "up")
	inside("ip", "route", "add", "default", "via", s.host())
	inside("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")
	for other := 1; other <= of; other++ {
		if other != n {
			inside("ip", "route", "add", s.nodePods(other), "via", s.nodeAddress(other))
		}
	}
	steps = append(steps, []string{"ip", "route", "replace", s.nodePods(n), "via", s.nodeAddress(n)})
	if n == 1 {
		steps = append(steps, []string{"ip", "route", "replace", s.services(), "via", s.nodeAddress(n)})
	}
	for _, step := range steps {
		if err := run(ctx, step[0], step[1:]...); err != nil {
			return err
		}
	}
	return nil
}
