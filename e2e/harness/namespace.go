// Package harness runs a real Kubernetes API (etcd, kube-apiserver, kube-controller-manager), the two
// Headgate programs and the servers behind them, in a network of its own.
package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// BackendNetwork is what the harness answers for: inside its namespace every address of this range is
// local, so a test gives each endpoint an address of its own without configuring any. The API server
// refuses loopback addresses in EndpointSlices, hence a range outside 127.0.0.0/8.
const BackendNetwork = "10.128.0.0/9"

// insideVariable marks the second, isolated incarnation of the test program and names the directory
// that it may fill; the first removes it.
const insideVariable = "HEADGATE_E2E_INSIDE"

// Main replaces m.Run. It runs the test program a second time in new network, PID and mount
// namespaces. The PID namespace is the clean-up: when its first process, the test program, ends for
// whatever reason, the kernel ends everything the tests started, and nothing else.
func Main(m *testing.M) {
	if os.Getenv(insideVariable) == "" {
		code, err := runIsolated()
		if err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			code = 1
		}
		os.Exit(code)
	}
	if err := prepareNamespace(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: preparing the namespace:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runIsolated builds what needs the outer network, then runs the test program in its namespaces.
func runIsolated() (int, error) {
	root, err := repositoryRoot()
	if err != nil {
		return 0, err
	}
	build := exec.Command(filepath.Join(root, "scripts", "kube-binaries"))
	build.Stderr = os.Stderr
	assets, err := build.Output()
	if err != nil {
		return 0, fmt.Errorf("scripts/kube-binaries: %w", err)
	}

	directory, err := os.MkdirTemp("", "headgate-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err := errors.Join(removeCgroups(filepath.Base(directory)), os.RemoveAll(directory)); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: cleaning up:", err)
		}
	}()
	// Asked to end, end the inner program first and clean up after it.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	command := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	command.Args[0] = os.Args[0]
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), insideVariable+"="+directory, "TMPDIR="+directory,
		"KUBEBUILDER_ASSETS="+strings.TrimSpace(string(assets)))
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		command.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	// The parent-death signal fires when the starting thread ends, not the process.
	runtime.LockOSThread()
	err = command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func prepareNamespace() error {
	// A /proc of this PID namespace, so that the PIDs we start are the PIDs we measure.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return err
	}
	_, backends, err := net.ParseCIDR(BackendNetwork)
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{
		LinkIndex: loopback.Attrs().Index,
		Dst:       backends,
		Type:      syscall.RTN_LOCAL,
		Table:     syscall.RT_TABLE_LOCAL,
		Scope:     netlink.SCOPE_HOST,
	})
}

// repositoryRoot finds the folder above the test's that holds scripts/.
func repositoryRoot() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; directory != "/"; directory = filepath.Dir(directory) {
		if _, err := os.Stat(filepath.Join(directory, "scripts", "kube-binaries")); err == nil {
			return directory, nil
		}
	}
	return "", errors.New("run from inside the repository")
}
