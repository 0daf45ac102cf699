//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sweepTimeout bounds how long what is left of a cluster may take to go.
const sweepTimeout = 30 * time.Second

// Sweep takes away what clusters have left that were killed. Clusters that run are
// left alone.
func Sweep() error {
	var errs []error
	for number := range sites {
		s := &site{number: number, dir: filepath.Join(stateRoot, fmt.Sprint(number))}
		if _, err := os.Stat(stateRoot); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		free, err := s.claim()
		if err == nil && free {
			err = s.release()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep takes away all that a site's name is on. Whoever calls it has the site's lock.
func sweep(s *site) error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	errs := []error{killAll(s.path("pids"))}
	for n := 1; n <= maxNodes; n++ {
		errs = append(errs, removeNode(ctx, s, n))
	}
	if exists(filepath.Join("/sys/class/net", s.bridge())) {
		errs = append(errs, ip(ctx, "link", "del", s.bridge())) // and the routes over it
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// removeNode takes away what a node is made of beside its processes.
func removeNode(ctx context.Context, s *site, n int) error {
	var errs []error
	name := s.nodeName(n)
	if exists(filepath.Join("/run/netns", name)) {
		errs = append(errs, ip(ctx, "netns", "del", name))
	}
	if link := filepath.Join("/sys/class/net", s.link(n)); exists(link) {
		// It goes by itself, a moment after the namespace that has its other end.
		if err := ip(ctx, "link", "del", s.link(n)); err != nil && exists(link) {
			errs = append(errs, err)
		}
	}
	for _, group := range cgroups(name) {
		errs = append(errs, removeCgroup(ctx, group))
	}
	return errors.Join(errs...)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

const cgroupRoot = "/sys/fs/cgroup"

// cgroups returns the directories of a node's cgroup: one in each hierarchy of
// version 1, or one in that of version 2.
func cgroups(name string) []string {
	if exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		return []string{filepath.Join(cgroupRoot, name)}
	}
	hierarchies, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", "cgroup.procs")) // the pattern is right
	var dirs []string
	for _, h := range hierarchies {
		dirs = append(dirs, filepath.Join(filepath.Dir(h), name))
	}
	return dirs
}

// removeCgroup removes a cgroup and those below it. Processes that are being killed
// hold theirs for a moment.
func removeCgroup(ctx context.Context, dir string) error {
	var groups []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			groups = append(groups, path)
		}
		return nil // what vanishes meanwhile needs no removing
	})
	if err != nil {
		return err
	}
	slices.Reverse(groups) // the inner ones first
	for _, group := range groups {
		err := waitFor(ctx, func() (bool, error) {
			err := os.Remove(group)
			return err == nil || errors.Is(err, fs.ErrNotExist), nil
		})
		if err != nil {
			return fmt.Errorf("removing the cgroup %s: %w", group, err)
		}
	}
	return nil
}

// killAll kills the processes whose numbers are in a directory, if they are still
// those that were started.
func killAll(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var pid int
		var started string
		if _, err := fmt.Sscan(string(content), &pid, &started); err != nil {
			continue // it was killed while writing
		}
		if startTime(pid) == started {
			errs = append(errs, killAndWait(pid, started))
		}
	}
	return errors.Join(errs...)
}

func killAndWait(pid int, started string) error {
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing process %d: %w", pid, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	return waitFor(ctx, func() (bool, error) { return startTime(pid) != started, nil })
}

// startTime tells a process from a later one of the same number. It is "" if there is
// no such process, or only what its parent has not waited for.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the name, may hold anything; it ends with the last ")".
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const state, start = 0, 19 // proc(5) counts from 1, and two came before
	if len(fields) <= start || fields[state] == "Z" {
		return ""
	}
	return fields[start]
}

// ip runs ip(8).
func ip(ctx context.Context, args ...string) error {
	return run(ctx, "ip", args...)
}

// run runs a command whose output matters only if it fails.
func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// pollEvery is how often a condition is looked at that nobody announces.
const pollEvery = 50 * time.Millisecond

// waitFor returns when the condition holds, or with its error, or when there is no
// more time.
func waitFor(ctx context.Context, condition func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := condition()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
