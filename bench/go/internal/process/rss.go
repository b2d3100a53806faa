// Package process tells what this process uses.
package process

import (
	"fmt"
	"os"
	"strings"
)

// PeakRSS is the most memory that the process has had resident, in bytes; 0 where the system does not say.
func PeakRSS() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kilobytes int
	if _, after, found := strings.Cut(string(status), "VmHWM:"); found {
		fmt.Sscan(after, &kilobytes)
	}
	return kilobytes << 10
}
