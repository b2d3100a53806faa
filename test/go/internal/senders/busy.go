// Package senders has the clients of other systems as they meet a server: which requests they make, and what they take for success.
package senders

import (
	"syscall"
	"time"
)

// busy gives CPU profiles something to show, so much of it whatever else the machine does: work calls itself, and next to nothing else is
// called.
func busy(cpu time.Duration) {
	for end := cpuTime() + cpu; cpuTime() < end; {
		work(22)
	}
}

func work(depth int) int {
	if depth < 2 {
		return depth
	}
	return work(depth-1) + work(depth-2)
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
