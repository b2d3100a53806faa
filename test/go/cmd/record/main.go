// Record puts itself under load like a small web service and writes its own profiles, in rounds, into a folder:
// protobuf profiles of every kind, the legacy texts (debug=1) and one runtime trace.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

const (
	rounds      = 3
	roundLength = 1200 * time.Millisecond
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: record FOLDER")
	}
	folder := os.Args[1]
	runtime.SetBlockProfileRate(10_000)
	runtime.SetMutexProfileFraction(5)
	runtime.MemProfileRate = 64 << 10
	recordTexts(folder)
	for round := 1; round <= rounds; round++ {
		recordRound(folder, round)
	}
	writeFile(folder, "go-runtime.trace", func(out *bytes.Buffer) error {
		if err := trace.Start(out); err != nil {
			return err
		}
		serveFor(30*time.Millisecond, false)
		trace.Stop()
		return nil
	})
}

// recordTexts writes the legacy texts early, since they list every stack seen since the start.
func recordTexts(folder string) {
	serveFor(40*time.Millisecond, true)
	release := park(7)
	defer release()
	for _, kind := range []string{"goroutine", "heap", "threadcreate", "block", "mutex"} {
		writeFile(folder, fmt.Sprintf("go-%s-debug1.txt", kind), func(out *bytes.Buffer) error {
			return pprof.Lookup(kind).WriteTo(out, 1)
		})
	}
}

// recordRound takes a CPU profile of a load (the last one without labels) and the other kinds while it still holds memory.
func recordRound(folder string, round int) {
	writeFile(folder, fmt.Sprintf("go-cpu-%d.pb.gz", round), func(out *bytes.Buffer) error {
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		serveFor(roundLength, round < rounds)
		pprof.StopCPUProfile()
		return nil
	})
	release := park(round * 7)
	for _, kind := range []string{"heap", "allocs", "goroutine", "block", "mutex", "threadcreate"} {
		if kind == "threadcreate" && round > 1 {
			continue
		}
		writeFile(folder, fmt.Sprintf("go-%s-%d.pb.gz", kind, round), func(out *bytes.Buffer) error {
			return pprof.Lookup(kind).WriteTo(out, 0)
		})
	}
	release()
}

// serveFor runs the handlers on a few workers, each call under pprof labels when labelled.
func serveFor(length time.Duration, labelled bool) {
	deadline := time.Now().Add(length)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for call := worker; time.Now().Before(deadline); call++ {
				route := routes[call%len(routes)]
				if !labelled {
					route.handle(call)
					continue
				}
				labels := pprof.Labels("endpoint", route.path, "tenant", fmt.Sprintf("tenant-%d", call%3))
				pprof.Do(context.Background(), labels, func(context.Context) { route.handle(call) })
			}
		})
	}
	workers.Wait()
}

// park leaves goroutines waiting in several places, some labelled, until the release is called.
func park(count int) (release func()) {
	gate := make(chan struct{})
	var parked, started sync.WaitGroup
	for nth := range count {
		started.Add(1)
		parked.Go(func() {
			wait := func(context.Context) {
				started.Done()
				if nth%2 == 0 {
					<-gate
				} else {
					select {
					case <-gate:
					case <-time.After(time.Hour):
					}
				}
			}
			if nth%3 == 0 {
				pprof.Do(context.Background(), pprof.Labels("pool", fmt.Sprintf("pool-%d", nth%2)), wait)
			} else {
				wait(context.Background())
			}
		})
	}
	started.Wait()
	return func() {
		close(gate)
		parked.Wait()
	}
}

func writeFile(folder, name string, record func(*bytes.Buffer) error) {
	var out bytes.Buffer
	if err := record(&out); err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
