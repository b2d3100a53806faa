// Package process tells what this process has used.
package process

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
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

// CPU is the time that all threads of the process have computed, in user and in system mode.
func CPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
