// Package senders has the clients of other systems as they meet a server: which requests they make, and what they take for success.
package senders

import (
	"hash/fnv"
	"strconv"
	"time"
)

// busy gives CPU profiles something to show.
func busy(duration time.Duration) uint64 {
	sum := fnv.New64a()
	for end := time.Now().Add(duration); time.Now().Before(end); {
		for at := range 1000 {
			digits(sum, at)
		}
	}
	return sum.Sum64()
}

func digits(sum interface{ Write([]byte) (int, error) }, number int) {
	sum.Write([]byte(strconv.Itoa(number)))
}
