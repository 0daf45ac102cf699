//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// process is one that this one has started, and that ends with it.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	// done is closed when the process has ended.
	done chan struct{}
}

// startProcess starts a process. Its output goes to a log of its name, its number to a
// file, from which the next cluster on this site learns what this one may have left.
func (c *Cluster) startProcess(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, log: filepath.Join(c.Logs, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true // an interrupt at the terminal is for this process to act on
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	pids := c.site.path("pids")
	if err := os.MkdirAll(pids, 0o700); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	number := fmt.Sprintf("%d %s\n", cmd.Process.Pid, startTime(cmd.Process.Pid))
	if err := os.WriteFile(filepath.Join(pids, name), []byte(number), 0o600); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	c.OnStop(p.kill)
	return p, nil
}

// run starts the process and waits for its end on one thread: it is with the thread
// that started it, and not with this process, that the kernel lets it end.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.cmd.Wait() // how it ended is in its state
	close(p.done)
}

// kill kills the process, if it runs, and waits for its end. Nothing that it holds is
// to be kept.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	<-p.done
	return nil
}

// ended returns what there is to say if the process has ended, which none should.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%s); its last words, in %s, are:\n%s", p.name, p.cmd.ProcessState, p.log, tail(p.log))
	default:
		return nil
	}
}

// tailLines is how much of a log an error shows.
const tailLines = 10

func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
