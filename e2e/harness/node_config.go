package harness

import "fmt"

// The configurations of a node's programs. What is said differs from the defaults because the node is small, or lives
// in a container itself: without the right to lower scores of the OOM killer, and perhaps with cgroups of version 1.

func (n *Node) containerdConfig() string {
	return fmt.Sprintf(`
version = 3
oom_score = 0
disabled_plugins = [
  "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
]

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "%s"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["%s"]
  conf_dir = "%s"
`, WorkloadImage, n.programs, n.path("cni"))
}

func (n *Node) networkConfig() string {
	return fmt.Sprintf(`{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipam": {
      "type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, podNetwork)
}

func (n *Node) kubeletConfig() string {
	return fmt.Sprintf(`
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
containerRuntimeEndpoint: unix://%s
cgroupDriver: cgroupfs
cgroupRoot: /%s
failCgroupV1: false
featureGates: {KubeletInUserNamespace: true}
enforceNodeAllocatable: []
clusterDomain: cluster.local
clusterDNS: [%s]
resolvConf: %s
# The machine's disk is not the node's to tidy.
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: 0%%, nodefs.available: 0%%, nodefs.inodesFree: 0%%, imagefs.inodesFree: 0%%}
`, containerdSocket, n.cgroup, NodeAddress, n.path("resolv.conf"))
}

// dnsConfig answers from the API server for cluster.local, and knows nothing else.
func (n *Node) dnsConfig() string {
	return fmt.Sprintf(`
cluster.local {
  bind %[1]s
  errors
  kubernetes {
    kubeconfig %[2]s
  }
}
. {
  bind %[1]s
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`, NodeAddress, n.cluster.AdminKubeconfig())
}
