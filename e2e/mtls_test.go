package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

// writeSnapshotTLS makes a new authority and what both ends of the snapshot stream show each other.
// strangers gives the data plane a certificate of yet another authority.
func writeSnapshotTLS(t *testing.T, directory string, strangers bool) {
	t.Helper()
	newAuthority := func() *harness.Authority {
		authority, err := harness.NewAuthority("headgate-snapshots")
		if err != nil {
			t.Fatal(err)
		}
		return authority
	}
	issue := func(authority *harness.Authority, name string, hosts ...string) {
		pair, err := authority.Issue(harness.Identity{CommonName: name, Hosts: hosts})
		if err == nil {
			err = pair.Write(filepath.Join(directory, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ours := newAuthority()
	issue(ours, "controller", "127.0.0.1", "localhost")
	theirs := ours
	if strangers {
		theirs = newAuthority()
	}
	issue(theirs, "dataplane")
	for _, side := range []string{"controller", "dataplane"} {
		if err := os.WriteFile(filepath.Join(directory, side+"-ca.crt"), ours.PEM, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSnapshotsTravelOverMutualTLSAndCertificatesRotate(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	probe := newProbe(space)
	headgate := harness.NewHeadgate(t, cluster, harness.Options{MutualTLS: true})
	writeSnapshotTLS(t, headgate.TLSDirectory(), false)
	headgate.StartController()
	headgate.StartDataPlane()
	headgate.AwaitReady(startSoon)
	probe.await(headgate, answerSoon)

	// All new, a new authority too. The controller that runs takes a data plane that starts with it ...
	writeSnapshotTLS(t, headgate.TLSDirectory(), false)
	headgate.DataPlane.Kill()
	headgate.StartDataPlane()
	probe.change()
	probe.await(headgate, startSoon)

	// ... and the data plane that runs finds the next controller, which starts with a newer one.
	writeSnapshotTLS(t, headgate.TLSDirectory(), false)
	headgate.Controller.Kill()
	headgate.StartController()
	probe.change()
	probe.await(headgate, startSoon)
}

func TestADataPlaneOfAnotherAuthorityGetsNothing(t *testing.T) {
	cluster := harness.SharedCluster(t)
	headgate := harness.NewHeadgate(t, cluster, harness.Options{MutualTLS: true})
	writeSnapshotTLS(t, headgate.TLSDirectory(), true)
	headgate.StartController()
	headgate.AwaitControllerReady(startSoon)
	headgate.StartDataPlane()
	harness.WaitFor(t, answerSoon, "the data plane to be turned away", func() error {
		if headgate.DataPlane.LogContains("no connection to the controller") == 0 {
			return errors.New("it has not said so:\n" + headgate.DataPlane.Tail(5))
		}
		return nil
	})
	if !headgate.NotReady() || headgate.Controller.LogContains("data plane connected") > 0 {
		t.Error("a data plane that the controller must not trust was let in")
	}
}
