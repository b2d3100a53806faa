// Bootstrap makes a corpus of many profiles from few real ones: one file of all bodies and an index of what each is.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"profusion/bench/go/internal/corpus"
	"profusion/bench/go/internal/encode"
)

const instances = 10

func main() {
	real := flag.String("real", "", "folder of real profiles: SERVICE/VERSION/cpu/*.pb.gz")
	out := flag.String("out", "", "folder of the corpus")
	count := flag.Int("count", 5000, "profiles")
	seed := flag.Uint64("seed", 1, "of all that is random")
	var draw corpus.Draw
	flag.IntVar(&draw.MinSources, "min-sources", 1, "real profiles that the rows of one come from")
	flag.IntVar(&draw.MaxSources, "max-sources", 3, "")
	flag.IntVar(&draw.MinPercent, "min-percent", 60, "rows, in percent of the mean of its sources")
	flag.IntVar(&draw.MaxPercent, "max-percent", 140, "")
	flag.Parse()
	if err := bootstrap(*real, *out, *count, *seed, draw); err != nil {
		log.Fatal(err)
	}
}

func bootstrap(real, out string, count int, seed uint64, draw corpus.Draw) error {
	builds, err := corpus.ReadBuilds(real)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(out, "corpus.bin"))
	if err != nil {
		return err
	}
	defer file.Close()
	bodies := bufio.NewWriterSize(file, 1<<20)
	entries := make([]corpus.Entry, 0, count)
	offset := 0
	for nth := range count {
		build := builds[nth%len(builds)]
		random := rand.New(rand.NewPCG(seed, uint64(nth)))
		made := corpus.Resample(build, draw, random)
		made.TimeNanos = startOf(nth, count, random).UnixNano()
		body, err := encode.CPU(made)
		if err != nil {
			return err
		}
		if _, err := bodies.Write(body); err != nil {
			return err
		}
		instance := fmt.Sprintf("i%d", nth/len(builds)%instances)
		entries = append(entries, corpus.Entry{
			Service: build.Service, Version: build.Version, Instance: instance, TimeNs: fmt.Sprint(made.TimeNanos), Offset: offset, Length: len(body),
		})
		offset += len(body)
	}
	if err := bodies.Flush(); err != nil {
		return err
	}
	index, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "index.json"), index, 0o644)
}

// startOf spreads the profiles over one hour, with the nanoseconds that real clocks have.
func startOf(nth, count int, random *rand.Rand) time.Time {
	hour := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	return hour.Add(time.Duration(float64(time.Hour)*float64(nth)/float64(count+1)) + time.Duration(random.Int64N(int64(time.Second/2))))
}
