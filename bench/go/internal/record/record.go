// Package record keeps a program's tasks running, in windows of changing mix, and writes profiles of each window while they go on.
package record

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"profusion/bench/go/internal/process"
)

// A Task is one kind of work; the call number varies its input.
type Task func(call int)

// Main runs the tasks on several goroutines and writes the profiles KIND/NNN.pb.gz into -out.
func Main(tasks []Task) {
	out := flag.String("out", "", "folder of the profiles")
	kinds := flag.String("kinds", "cpu", "of each window, in this order, commas between: cpu, and those that the runtime has by name")
	windows := flag.Int("windows", 10, "windows to record")
	length := flag.Duration("window", time.Second, "CPU time that each window covers; it ends after four times as long, whatever the program got")
	rate := flag.Int("rate", 100, "samples per second of CPU time")
	flag.Parse()
	if *out == "" {
		log.Fatal("say where the profiles go: -out FOLDER")
	}
	runtime.SetMutexProfileFraction(1)
	var window atomic.Int64
	keepBusy(tasks, &window)
	for nth := range *windows {
		window.Store(int64(nth))
		for _, kind := range strings.Split(*kinds, ",") {
			write(filepath.Join(*out, kind, fmt.Sprintf("%03d.pb.gz", nth)), take(kind, *length, *rate))
		}
	}
}

func take(kind string, length time.Duration, rate int) []byte {
	var recorded bytes.Buffer
	if kind != "cpu" {
		if err := pprof.Lookup(kind).WriteTo(&recorded, 0); err != nil {
			log.Fatal(err)
		}
		return recorded.Bytes()
	}
	// StartCPUProfile asks for 100 Hz; the runtime keeps a rate that was set before, and complains on stderr.
	if rate != 100 {
		runtime.SetCPUProfileRate(rate)
	}
	if err := pprof.StartCPUProfile(&recorded); err != nil {
		log.Fatal(err)
	}
	before, started := process.CPU(), time.Now()
	for process.CPU()-before < length && time.Since(started) < 4*length {
		time.Sleep(5 * time.Millisecond)
	}
	pprof.StopCPUProfile()
	return recorded.Bytes()
}

// write names the executable as an installed one, so that no profile tells where it was recorded. All else stays, byte for byte.
func write(name string, recorded []byte) {
	executable, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	renamed, err := renameString(recorded, executable, "/usr/bin/"+filepath.Base(executable))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(name, renamed, 0o644); err != nil {
		log.Fatal(err)
	}
}

// keepBusy runs tasks until the program ends; each window prefers other tasks, as minutes of a day do.
func keepBusy(tasks []Task, window *atomic.Int64) {
	for worker := range 2 * runtime.GOMAXPROCS(0) {
		go func() {
			for call := worker; ; {
				nth := window.Load()
				random := rand.New(rand.NewPCG(uint64(nth), uint64(worker)))
				mix := mixOf(len(tasks), rand.New(rand.NewPCG(uint64(nth), 1)))
				for ; window.Load() == nth; call += 7 {
					tasks[mix[random.IntN(len(mix))]](call)
				}
			}
		}()
	}
}

// mixOf lists the task numbers of this window, each as often as its weight: most of the work is that of three tasks.
func mixOf(tasks int, random *rand.Rand) []int {
	mix := make([]int, 0, 16)
	for range 3 {
		task := random.IntN(tasks)
		for range 1 + random.IntN(5) {
			mix = append(mix, task)
		}
	}
	return append(mix, random.IntN(tasks))
}
