// Fsync-probe measures what the disk takes to make an append durable: 10 KB and fdatasync, one at a time. It prints JSON.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"profusion/bench/go/internal/latency"
)

func main() {
	folder := flag.String("folder", "", "folder on the disk in question")
	count := flag.Int("count", 500, "appends")
	size := flag.Int("bytes", 10_000, "of each append")
	flag.Parse()
	name := filepath.Join(*folder, "fsync-probe")
	file, err := os.Create(name)
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(name)
	body := make([]byte, *size)
	times := make([]time.Duration, *count)
	for at := range times {
		start := time.Now()
		if _, err := file.Write(body); err != nil {
			log.Fatal(err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			log.Fatal(err)
		}
		times[at] = time.Since(start)
	}
	sorted := latency.Sorted(times)
	json.NewEncoder(os.Stdout).Encode(map[string]float64{"p50Ms": latency.Percentile(sorted, 50), "p99Ms": latency.Percentile(sorted, 99)})
}
