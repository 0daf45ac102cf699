//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// nodeConfig is what the cluster tells a node. The agent finds itself in namespaces
// of its own, of processes, mounts and network, that end with it.
type nodeConfig struct {
	// Binds are directories and files to show at other places, and Tmpfs places for
	// empty file systems: what of the machine's file system is the node's own.
	Binds map[string]string `json:"binds"`
	Tmpfs []string          `json:"tmpfs"`
	// Sysctls are files below /proc/sys that are shown with these contents: kubelet
	// would write the whole machine's.
	Sysctls map[string]string `json:"sysctls"`
	// Runtime is started first, and the others when Socket accepts connections.
	Runtime process   `json:"runtime"`
	Socket  string    `json:"socket"`
	Others  []process `json:"others"`
	// Scratch is a directory for the node's own files.
	Scratch string `json:"scratch"`
}

type process struct {
	Args []string `json:"args"`
	Log  string   `json:"log"`
}

const (
	// socketTimeout bounds the start of the container runtime.
	socketTimeout = time.Minute
	socketRetry   = 20 * time.Millisecond
)

// runNode prepares the node's file system and runs its processes until one ends, for
// a node that has lost one is not whole.
func runNode(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: agent node CONFIG.json")
	}
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var config nodeConfig
	if err := json.Unmarshal(content, &config); err != nil {
		return fmt.Errorf("reading %s: %w", args[0], err)
	}
	if err := config.mount(); err != nil {
		return err
	}
	ended := make(chan error, 1+len(config.Others))
	if err := config.Runtime.start(ctx, ended); err != nil {
		return err
	}
	if err := waitForSocket(ctx, config.Socket, ended); err != nil {
		return err
	}
	for _, p := range config.Others {
		if err := p.start(ctx, ended); err != nil {
			return err
		}
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func (c *nodeConfig) mount() error {
	// Apart from the machine's mounts, and shared within, so that the volumes that
	// kubelet mounts reach the containers.
	for _, flag := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", flag|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("changing the propagation of mounts: %w", err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	for at, source := range c.Binds {
		if err := bind(source, at); err != nil {
			return err
		}
	}
	for _, at := range c.Tmpfs {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("mounting a tmpfs on %s: %w", at, err)
		}
	}
	for name, value := range c.Sysctls {
		file := filepath.Join(c.Scratch, "sysctl-"+filepath.Base(name))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := unix.Mount(file, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("covering the sysctl %s: %w", name, err)
		}
	}
	return nil
}

func bind(source, at string) error {
	for _, dir := range []string{source, at} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(source, at, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("showing %s at %s: %w", source, at, err)
	}
	if err := unix.Mount("", at, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("sharing %s: %w", at, err)
	}
	return nil
}

// start starts the process, which reports on ended.
func (p process) start(ctx context.Context, ended chan<- error) error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.Args[0], err)
	}
	go func() { ended <- fmt.Errorf("%s ended (%w); its log is %s", p.Args[0], cmd.Wait(), p.Log) }()
	return nil
}

// waitForSocket returns when somebody listens on the socket.
func waitForSocket(ctx context.Context, socket string, ended <-chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, socketTimeout, fmt.Errorf("nobody listens on %s after %s", socket, socketTimeout))
	defer cancel()
	retry := time.NewTicker(socketRetry)
	defer retry.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-retry.C:
		case err := <-ended:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
