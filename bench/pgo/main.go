// Reads records over and over, as services do with what comes over the wire, and says how much CPU time that took. What is hot in it the compiler
// inlines only where a profile tells it to: reader.go and sinks.go say why. No work is random: each run does the same.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/pprof"
	"syscall"
	"time"
)

func main() {
	mix := flag.String("mix", "all", "what this instance is asked for: totals, index or all")
	rounds := flag.Int("rounds", 40, "how often to read all records")
	profile := flag.String("cpuprofile", "", "where to write a CPU profile")
	flag.Parse()

	sinks := sinksOf(*mix)
	records := encode(4000)
	read(records, sinks, 2) // what grows has grown
	if *profile != "" {
		stop := profileInto(*profile)
		defer stop()
	}
	before := cpuTime()
	sum := read(records, sinks, *rounds)
	fmt.Printf("%d %x\n", (cpuTime() - before).Nanoseconds(), sum)
}

// cpuTime does not grow while others have the processor, as the clock on the wall does.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func sinksOf(mix string) []Sink {
	switch mix {
	case "totals":
		return []Sink{&totals{}}
	case "index":
		return []Sink{&index{}}
	case "all":
		// Most of the calls are to totals: that is the one that the compiler inlines.
		return []Sink{&totals{}, &totals{}, &totals{}, &totals{}, &totals{}, &totals{}, &totals{}, &index{}}
	}
	log.Fatalf("-mix is totals, index or all, not %q", mix)
	return nil
}

// read answers a sum of what all sinks hold, so that nothing of the work can be left out.
func read(records []byte, sinks []Sink, rounds int) (sum uint64) {
	for range rounds {
		for _, sink := range sinks {
			readAll(&packed{bytes: records}, sink)
		}
	}
	for _, sink := range sinks {
		sum = sum*31 + sink.Sum()
	}
	return sum
}

func profileInto(path string) (stop func()) {
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		log.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			log.Fatal(err)
		}
	}
}
