package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
)

// What a node wants of a machine, given so that the machine keeps nothing of it: mounts and network are those of our
// namespaces, and cgroups have a root of their own, which removeCgroups removes.

// arrangeFolders lets programs keep things where they do by default.
func (n *Node) arrangeFolders() error {
	for _, name := range []string{"/var/lib", "/var/log", "/run"} {
		own := n.path("root" + name)
		if err := os.MkdirAll(own, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(own, name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", name, err)
		}
	}
	return nil
}

// machineSysctls are what a kubelet sets for the whole machine; those of networks are its network namespace's.
var machineSysctls = map[string]string{
	"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// arrangeSysctls shows the kubelet that they are as it wants them.
func (n *Node) arrangeSysctls() error {
	for name, value := range machineSysctls {
		file, sysctl := n.path("sys/"+name), "/proc/sys/"+name
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, sysctl, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", sysctl, err)
		}
	}
	return nil
}

// arrangeNetwork gives the node its address, and a default route, without which nothing is sent to cluster IPs.
func (n *Node) arrangeNetwork() error {
	for _, name := range []string{"ipv4/ip_forward", "bridge/bridge-nf-call-iptables"} {
		if err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte("1"), 0); err != nil {
			return err
		}
	}
	uplink := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "uplink"}}
	if err := netlink.LinkAdd(uplink); err != nil {
		return fmt.Errorf("adding a bridge: %w", err)
	}
	address, err := netlink.ParseAddr(NodeAddress + "/24")
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(uplink, address); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(uplink); err != nil {
		return err
	}
	anywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: uplink.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: anywhere})
}

const cgroups = "/sys/fs/cgroup"

// cgroupRoots are the folders of a cgroup: one in each hierarchy of version 1, else one.
func cgroupRoots(name string) []string {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(cgroups, name)}
	}
	hierarchies, _ := filepath.Glob(filepath.Join(cgroups, "*"))
	for i := range hierarchies {
		hierarchies[i] = filepath.Join(hierarchies[i], name)
	}
	return hierarchies
}

func (n *Node) arrangeCgroups() error {
	for _, root := range cgroupRoots(n.cgroup) {
		if err := os.Mkdir(root, 0o755); err != nil {
			return err
		}
		// A new cpuset of version 1 is empty, and takes no process.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(filepath.Dir(root), name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(root, name), content, 0)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroups removes the cgroups of a run whose processes have ended.
func removeCgroups(name string) error {
	var failures error
	for _, root := range cgroupRoots(name) {
		var folders []string
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for _, folder := range slices.Backward(folders) {
			failures = errors.Join(failures, os.Remove(folder))
		}
	}
	return failures
}

// run runs one of the node's programs to its end.
func (n *Node) run(program string, arguments ...string) error {
	output, err := exec.Command(filepath.Join(n.programs, program), arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w\n%s", program, arguments, err, output)
	}
	return nil
}
