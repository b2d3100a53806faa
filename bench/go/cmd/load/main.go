// Load posts a corpus to a server that speaks profefe's /api/0, or another system's protocol, over a few keep-alive connections, and prints
// rate and latency as JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"profusion/bench/go/internal/corpus"
	"profusion/bench/go/internal/latency"
)

type result struct {
	Profiles   int     `json:"profiles"`
	Errors     int     `json:"errors"`
	FirstError string  `json:"firstError,omitempty"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"perSecond"`
	P50Ms      float64 `json:"p50Ms"`
	P99Ms      float64 `json:"p99Ms"`
	MaxMs      float64 `json:"maxMs"`
}

func main() {
	base := flag.String("url", "", "of the server")
	folder := flag.String("corpus", "", "folder of the corpus")
	clients := flag.Int("clients", 8, "connections, each with one request at a time")
	first := flag.Int("first-round", 0, "number of the first round")
	rounds := flag.Int("rounds", 1, "times that the corpus is sent; but for round 0 with a label round=N, so that every profile is new")
	profileType := flag.String("type", "cpu", "of all profiles")
	protocol := flag.String("protocol", "profefe", "whose requests: profefe, autopgo, pgo-fleet or pcapture")
	warmup := flag.Int("warmup", 0, "uploads before, to a service of their own, that are not measured")
	flag.Parse()
	stored, err := corpus.ReadStored(*folder)
	if err != nil {
		log.Fatal(err)
	}
	shapeOf, known := shapes[*protocol]
	if !known {
		log.Fatalf("there is no protocol %q", *protocol)
	}
	corpusOf := func(service string, round int) []upload {
		return uploads(*base, stored, shapeOf, *profileType, service, round)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *clients, DisableCompression: true}}
	if *warmup > 0 {
		send(client, *clients, corpusOf("warmup", 0)[:min(*warmup, len(stored.Entries))])
	}
	var all []upload
	for round := range *rounds {
		all = append(all, corpusOf("", *first+round)...)
	}
	json.NewEncoder(os.Stdout).Encode(send(client, *clients, all))
}

// uploads of the whole corpus; a service given here replaces that of the entries.
func uploads(base string, stored corpus.Stored, shapeOf shape, profileType, service string, round int) []upload {
	made := make([]upload, len(stored.Entries))
	for at, entry := range stored.Entries {
		labels := fmt.Sprintf("version=%s,instance=%s", entry.Version, entry.Instance)
		if round > 0 {
			labels += fmt.Sprintf(",round=%d", round)
		}
		name := entry.Service
		if service != "" {
			name = service
		}
		made[at] = shapeOf(base, identity{name, profileType, labels}, stored.Body(entry))
	}
	return made
}

func send(client *http.Client, clients int, all []upload) result {
	var next atomic.Int64
	var sending sync.WaitGroup
	times := make([][]time.Duration, clients)
	failures := make([][]string, clients)
	start := time.Now()
	for nth := range clients {
		sending.Go(func() {
			for {
				at := int(next.Add(1)) - 1
				if at >= len(all) {
					return
				}
				before := time.Now()
				if err := post(client, all[at]); err != nil {
					failures[nth] = append(failures[nth], err.Error())
					continue
				}
				times[nth] = append(times[nth], time.Since(before))
			}
		})
	}
	sending.Wait()
	took := time.Since(start).Seconds()
	sorted := latency.Sorted(times...)
	measured := result{
		Profiles: len(sorted), Seconds: took, PerSecond: float64(len(sorted)) / took,
		P50Ms: latency.Percentile(sorted, 50), P99Ms: latency.Percentile(sorted, 99), MaxMs: latency.Percentile(sorted, 100),
	}
	for _, each := range failures {
		measured.Errors += len(each)
		if len(each) > 0 && measured.FirstError == "" {
			measured.FirstError = each[0]
		}
	}
	return measured
}

func post(client *http.Client, each upload) error {
	request, err := each.request()
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != each.status {
		err = fmt.Errorf("%s: %.200s", answer.Status, text)
	}
	return err
}
