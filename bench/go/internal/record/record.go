// Package record runs a program's tasks in windows of changing mix and writes a CPU profile of each window.
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
	"sync"
	"time"

	"github.com/google/pprof/profile"
	"profusion/bench/go/internal/encode"
)

// A Task is one kind of work; the call number varies its input.
type Task func(call int)

// Main runs the tasks on several goroutines and writes the profiles NNN.pb.gz into -out.
func Main(tasks []Task) {
	out := flag.String("out", "", "folder of the profiles")
	windows := flag.Int("windows", 10, "profiles to record")
	length := flag.Duration("window", time.Second, "time that each profile covers")
	rate := flag.Int("rate", 100, "samples per second of CPU time")
	flag.Parse()
	if *out == "" {
		log.Fatal("say where the profiles go: -out FOLDER")
	}
	for window := range *windows {
		name := filepath.Join(*out, fmt.Sprintf("%03d.pb.gz", window))
		if err := os.WriteFile(name, profileWindow(tasks, window, *length, *rate), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func profileWindow(tasks []Task, window int, length time.Duration, rate int) []byte {
	var recorded bytes.Buffer
	// StartCPUProfile asks for 100 Hz; the runtime keeps a rate that was set before, and complains on stderr.
	if rate != 100 {
		runtime.SetCPUProfileRate(rate)
	}
	if err := pprof.StartCPUProfile(&recorded); err != nil {
		log.Fatal(err)
	}
	runTasks(tasks, window, length)
	pprof.StopCPUProfile()
	return withoutFolder(recorded.Bytes())
}

// withoutFolder names the executable as an installed one, so that no profile tells where it was recorded. All else stays, byte for byte.
func withoutFolder(recorded []byte) []byte {
	parsed, err := profile.ParseData(recorded)
	if err != nil {
		log.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	for _, mapping := range parsed.Mapping {
		if mapping.File == executable {
			mapping.File = "/usr/bin/" + filepath.Base(executable)
		}
	}
	written, err := encode.CPU(parsed)
	if err != nil {
		log.Fatal(err)
	}
	return written
}

// runTasks keeps a few goroutines busy; each window prefers other tasks, as minutes of a day do.
func runTasks(tasks []Task, window int, length time.Duration) {
	deadline := time.Now().Add(length)
	var workers sync.WaitGroup
	for worker := range 2 * runtime.GOMAXPROCS(0) {
		random := rand.New(rand.NewPCG(uint64(window), uint64(worker)))
		mix := mixOf(len(tasks), rand.New(rand.NewPCG(uint64(window), 1)))
		workers.Go(func() {
			for call := window*1_000_003 + worker; time.Now().Before(deadline); call += 7 {
				tasks[mix[random.IntN(len(mix))]](call)
			}
		})
	}
	workers.Wait()
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
