//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Server is a program under test: how it is started, and where it listens.
type Server struct {
	Name    string
	Command []string // %d stands for the port
	Env     []string
	Dir     string

	port int
	cmd  *exec.Cmd
	log  bytes.Buffer
}

const startTimeout = time.Minute

// Start starts the program and waits for its first answer; it returns how long
// that took from exec.
func (s *Server) Start(ctx context.Context, body string) (time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	s.port = port
	args := make([]string, len(s.Command))
	for i, a := range s.Command {
		args[i] = strings.ReplaceAll(a, "%d", strconv.Itoa(port))
	}
	s.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	s.cmd.Dir, s.cmd.Env = s.Dir, append(os.Environ(), s.Env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Cancel = s.kill
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(began) < startTimeout {
		if ok, err := s.ask(body); err != nil {
			return 0, err
		} else if ok {
			return time.Since(began), nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	return 0, errors.Join(fmt.Errorf("%s gave no answer in %s:\n%s", s.Name, startTimeout, s.log.String()), s.Stop())
}

// URL returns the address of a path.
func (s *Server) URL(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

func (s *Server) ask(body string) (bool, error) {
	resp, err := http.Post(s.URL("/predict"), "application/json", strings.NewReader(body))
	if err != nil {
		return false, nil // not listening yet
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusServiceUnavailable:
		return false, nil // still loading
	}
	return false, fmt.Errorf("%s answered %s: %s", s.Name, resp.Status, answer)
}

// Stop ends the program and those that it started.
func (s *Server) Stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	err := s.kill()
	_ = s.cmd.Wait() // a killed program is no error
	return err
}

func (s *Server) kill() error {
	return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
}

// CPU returns the processor time that the program and its children have used.
func (s *Server) CPU() time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	var ticks int
	for _, pid := range s.tree() {
		fields := stat(pid)
		if len(fields) < 15 {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		ticks += user + system
	}
	return time.Duration(ticks) * tick
}

// Memory returns the proportional set size of the program and its children, in
// bytes.
func (s *Server) Memory() int64 {
	var total int64
	for _, pid := range s.tree() {
		rollup, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(rollup)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				total += kb << 10
			}
		}
	}
	return total
}

// tree returns the processes of the program's group.
func (s *Server) tree() []int {
	group := strconv.Itoa(s.cmd.Process.Pid)
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		if fields := stat(pid); len(fields) > 2 && fields[2] == group {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stat returns the fields of /proc/PID/stat from the state on: [0] is the
// state, [2] the process group, [11] and [12] the user and system ticks.
func stat(pid int) []string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(line), ") ")
	if !ok {
		return nil
	}
	return strings.Fields(rest)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
