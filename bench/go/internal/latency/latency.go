// Package latency reports percentiles.
package latency

import (
	"slices"
	"time"
)

// Percentile of sorted times in milliseconds, by the nearest rank; 0 without any.
func Percentile(sorted []time.Duration, percent float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := min(len(sorted)-1, int(float64(len(sorted))*percent/100))
	return float64(sorted[rank].Microseconds()) / 1000
}

// Sorted joins and sorts.
func Sorted(parts ...[]time.Duration) []time.Duration {
	all := slices.Concat(parts...)
	slices.Sort(all)
	return all
}
