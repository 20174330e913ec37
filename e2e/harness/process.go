package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a program the harness started. It writes stdout and stderr to one log file.
type Process struct {
	Name string
	Log  string

	command *exec.Cmd
	done    chan struct{} // closed when the program has ended and was reaped
	err     error         // valid once done is closed
	asked   atomic.Bool   // the harness ended it
}

// StartProcess runs program with arguments; the log is appended to directory/name.log.
func StartProcess(directory, name, program string, arguments ...string) (*Process, error) {
	log := filepath.Join(directory, name+".log")
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr = file, file
	command.Dir = directory
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	process := &Process{Name: name, Log: log, command: command, done: make(chan struct{})}
	go func() {
		process.err = command.Wait()
		close(process.done)
	}()
	return process, nil
}

// PID is the process's number in the namespace of the harness.
func (p *Process) PID() int { return p.command.Process.Pid }

// Running tells whether the program still runs.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// errEnded is in every Failure: what waits for the program need wait no longer.
var errEnded = errors.New("ended by itself")

// Failure is nil while the program runs or when the harness ended it; else why it ended by itself.
func (p *Process) Failure() error {
	if p.Running() || p.asked.Load() {
		return nil
	}
	return fmt.Errorf("%s %w (%v):\n%s", p.Name, errEnded, p.err, p.Tail(30))
}

// Kill ends the program with SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	p.asked.Store(true)
	_ = p.command.Process.Kill()
	<-p.done
}

// Terminate asks with SIGTERM and returns how the program ended; past the limit it is killed.
func (p *Process) Terminate(limit time.Duration) error {
	p.asked.Store(true)
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM:\n%s", p.Name, limit, p.Tail(30))
	}
}

// Output is everything the program (and earlier ones of this name) wrote.
func (p *Process) Output() string {
	content, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// Tail is the last lines of the log.
func (p *Process) Tail(lines int) string {
	all := strings.Split(strings.TrimRight(p.Output(), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

// LogContains counts the log's lines that contain every one of the given words.
func (p *Process) LogContains(words ...string) int {
	count := 0
	for line := range bytes.SplitSeq([]byte(p.Output()), []byte("\n")) {
		all := true
		for _, word := range words {
			all = all && bytes.Contains(line, []byte(word))
		}
		if all {
			count++
		}
	}
	return count
}

// Until calls check every interval until it returns nil or that a program ended; the error past the limit is check's last.
func Until(ctx context.Context, limit, interval time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started := time.Now()
	for {
		err := check()
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", time.Since(started).Round(time.Millisecond), err)
		case <-time.After(interval):
		}
	}
}
