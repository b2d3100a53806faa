// Hotapp works for some seconds and sends a CPU profile of each, as profefe's agent does, under the labels of its release.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"runtime/pprof"
	"time"
)

func main() {
	collector := flag.String("collector", "http://127.0.0.1:10100", "where profiles are sent")
	version := flag.String("version", "1.0.0", "of this program")
	seconds := flag.Int("seconds", 2, "how long it works")
	flag.Parse()
	for range *seconds {
		var profile bytes.Buffer
		if err := pprof.StartCPUProfile(&profile); err != nil {
			log.Fatal(err)
		}
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			fibonacci(20)
			if *version == "1.1.0" {
				logEverything()
			}
		}
		pprof.StopCPUProfile()
		if err := send(*collector, *version, &profile); err != nil {
			log.Fatal(err)
		}
	}
}

func send(collector, version string, profile *bytes.Buffer) error {
	query := url.Values{"service": {"hotapp"}, "type": {"cpu"}, "labels": {"version=" + url.QueryEscape(version)}}
	response, err := http.Post(collector+"/api/0/profiles?"+query.Encode(), "", profile)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the collector answered %s", response.Status)
	}
	return nil
}

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

// What a release can do to a program.
func logEverything() {
	for line := range 1000 {
		_ = fmt.Sprintf("line %d of nothing that anybody reads", line)
	}
}
