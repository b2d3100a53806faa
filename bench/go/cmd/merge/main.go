// Merge is the peer of our merges: google/pprof's Parse of every profile of a corpus, Merge of all, Write. It prints what each took as JSON.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/google/pprof/profile"
	"profusion/bench/go/internal/corpus"
	"profusion/bench/go/internal/process"
)

type result struct {
	Profiles    int     `json:"profiles"`
	GunzipMs    float64 `json:"gunzipMs"`
	ParseMs     float64 `json:"parseMs"`
	MergeMs     float64 `json:"mergeMs"`
	WriteMs     float64 `json:"writeMs"`
	TotalMs     float64 `json:"totalMs"`
	CPUMs       float64 `json:"cpuMs"`
	ResultBytes int     `json:"resultBytes"`
	PeakRSS     int     `json:"peakRssBytes"`
}

func main() {
	folder := flag.String("corpus", "", "folder of the corpus")
	service := flag.String("service", "", "only profiles of this service")
	out := flag.String("out", "", "also write the merge to this file")
	procs := flag.Int("procs", 1, "GOMAXPROCS, and parsers at once")
	gunzip := flag.Bool("gunzip", false, "also time inflating alone, before")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	stored, err := corpus.ReadStored(*folder)
	if err != nil {
		log.Fatal(err)
	}
	var bodies [][]byte
	for _, entry := range stored.Entries {
		if *service == "" || entry.Service == *service {
			bodies = append(bodies, stored.Body(entry))
		}
	}
	measured := result{Profiles: len(bodies)}
	if *gunzip {
		measured.GunzipMs = milliseconds(func() { gunzipAll(bodies) })
	}
	before := process.CPU()
	var parsed []*profile.Profile
	var merged *profile.Profile
	var written bytes.Buffer
	measured.ParseMs = milliseconds(func() { parsed = parseAll(bodies, *procs) })
	measured.MergeMs = milliseconds(func() { merged, err = profile.Merge(parsed) })
	if err != nil {
		log.Fatal(err)
	}
	measured.WriteMs = milliseconds(func() { err = merged.Write(&written) })
	if err != nil {
		log.Fatal(err)
	}
	measured.TotalMs = measured.ParseMs + measured.MergeMs + measured.WriteMs
	measured.CPUMs = float64((process.CPU() - before).Microseconds()) / 1000
	measured.ResultBytes = written.Len()
	measured.PeakRSS = process.PeakRSS()
	if *out != "" {
		if err := os.WriteFile(*out, written.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	json.NewEncoder(os.Stdout).Encode(measured)
}

func milliseconds(work func()) float64 {
	start := time.Now()
	work()
	return float64(time.Since(start).Microseconds()) / 1000
}

func gunzipAll(bodies [][]byte) {
	for _, body := range bodies {
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			_, err = io.ReadAll(reader)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

func parseAll(bodies [][]byte, parsers int) []*profile.Profile {
	parsed := make([]*profile.Profile, len(bodies))
	var running sync.WaitGroup
	for first := range parsers {
		running.Go(func() {
			for at := first; at < len(bodies); at += parsers {
				one, err := profile.Parse(bytes.NewReader(bodies[at]))
				if err != nil {
					log.Fatal(err)
				}
				parsed[at] = one
			}
		})
	}
	running.Wait()
	return parsed
}
