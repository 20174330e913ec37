package harness

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
)

// CPUTime is what all threads of a process have used, to the nanosecond. (The utime of /proc/PID/stat
// counts in clock ticks of 10 ms, too coarse for the cost of single changes.) Threads that ended are
// not counted, so compare only spans in which none ends.
func CPUTime(t testing.TB, process *Process) time.Duration {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", process.PID()))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of %s: %v", process.Name, err)
	}
	var total time.Duration
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		nanoseconds, err := strconv.ParseInt(strings.Fields(string(content))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += time.Duration(nanoseconds)
	}
	return total
}

// ResidentBytes is the memory of a process that is in RAM now.
func ResidentBytes(t testing.TB, process *Process) int64 {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", process.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatalf("%s has no VmRSS", process.Name)
	return 0
}

// Quantile returns the smallest sample that a share q of all samples does not exceed.
func Quantile(samples []time.Duration, q float64) time.Duration {
	sorted := append([]time.Duration(nil), samples...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	index := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(index, 0), len(sorted)-1)]
}

// OpenFiles counts the file descriptors of a process.
func OpenFiles(t testing.TB, process *Process) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", process.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
