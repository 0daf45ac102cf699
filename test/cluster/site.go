//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gofrs/flock"

	"mizzen.dev/test/cluster/binary"
)

const (
	// sites is how many clusters fit on one machine beside each other.
	sites = 8
	// firstNetwork is the x in the first one's 10.x.0.0/16.
	firstNetwork = 180
	// stateRoot holds what clusters keep while they run. It is on a disk, and the
	// administrator's alone.
	stateRoot = "/var/lib/mizzen-cluster"
)

// site is a cluster's place on the machine: its directory and addresses. All that a
// cluster makes outside its processes has a name that follows from the site's number,
// so that what a cluster that was killed has left is found and taken away.
//
//	10.x.0.1         the machine, on the bridge: API server, registry, S3
//	10.x.0.(10+n)    the n-th node
//	10.x.(8+n).0/24  its pods
//	10.x.64.0/18     pods that KWOK plays
//	10.x.128.0/17    services
type site struct {
	number int
	dir    string
	lock   *flock.Flock
}

func (s *site) address(rest string) string {
	return "10." + strconv.Itoa(firstNetwork+s.number) + "." + rest
}

// loopback is an address of the site's own for what only this machine may reach.
func (s *site) loopback() string { return fmt.Sprintf("127.0.%d.1", firstNetwork+s.number) }

func (s *site) host() string         { return s.address("0.1") }
func (s *site) podNetwork() string   { return s.address("8.0/21") }
func (s *site) fakePods() string     { return s.address("64.0/18") }
func (s *site) services() string     { return s.address("128.0/17") }
func (s *site) service(n int) string { return s.address("128." + strconv.Itoa(n)) }
func (s *site) nodeAddress(n int) string {
	return s.address("0." + strconv.Itoa(10+n))
}
func (s *site) nodePods(n int) string { return s.address(strconv.Itoa(8+n) + ".0/24") }

// bridge is what joins the nodes and the machine.
func (s *site) bridge() string { return fmt.Sprintf("mizzen%d", s.number) }

// nodeName is also that of the node's network namespace and cgroup.
func (s *site) nodeName(n int) string { return fmt.Sprintf("mizzen%d-node%d", s.number, n) }

// link is the machine's end of the cable to a node; names have at most 15 characters.
func (s *site) link(n int) string { return fmt.Sprintf("mizzen%d-n%d", s.number, n) }

// path returns a path in the site's directory.
func (s *site) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// claim takes the first site that is free, and cleans it.
func (c *Cluster) claim(context.Context) error {
	if err := os.MkdirAll(stateRoot, 0o700); err != nil {
		return err
	}
	for number := range sites {
		s := &site{number: number, dir: filepath.Join(stateRoot, strconv.Itoa(number))}
		free, err := s.claim()
		if err != nil {
			return err
		}
		if free {
			c.site = s
			c.OnStop(s.release)
			return c.makeLogs()
		}
	}
	return fmt.Errorf("%d clusters run on this machine already, or have their networks in use", sites)
}

// claim says whether the site could be had: nobody else has it, and no other network
// of the machine has its addresses.
func (s *site) claim() (bool, error) {
	s.lock = flock.New(s.dir + ".lock")
	locked, err := s.lock.TryLock()
	if err != nil || !locked {
		return false, err
	}
	err = sweep(s)
	if err == nil && !s.inUse() {
		if err = os.MkdirAll(s.dir, 0o700); err == nil {
			return true, nil
		}
	}
	return false, errors.Join(err, s.lock.Unlock())
}

func (s *site) inUse() bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false // the kernel will say when the address is added
	}
	network := netip.MustParsePrefix(s.address("0.0/16"))
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Overlaps(network) {
			return true
		}
	}
	return false
}

func (s *site) release() error {
	return errors.Join(sweep(s), s.lock.Unlock())
}

// Scratch makes a directory for what tests need outside the cluster, which goes with it:
// also with the tests killed, when the next one starts.
func (c *Cluster) Scratch(name string) (string, error) {
	if c.Own() {
		dir := c.site.path(name)
		return dir, os.Mkdir(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "mizzen-e2e-"+name+"-")
	if err == nil {
		c.OnStop(func() error { return os.RemoveAll(dir) })
	}
	return dir, err
}

// makeLogs makes the directory of logs anew.
func (c *Cluster) makeLogs() error {
	if c.Logs == "" {
		cache, err := binary.CacheDir()
		if err != nil {
			return err
		}
		c.Logs = filepath.Join(cache, "logs", strconv.Itoa(c.site.number))
	}
	if err := os.RemoveAll(c.Logs); err != nil {
		return err
	}
	return os.MkdirAll(c.Logs, 0o755)
}
