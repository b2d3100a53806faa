package senders

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime/pprof"
	"time"
)

// PgoFleet is pgo-fleet's embedded library: it profiles its own process again and again, and submits each profile once. It prints a line
// for each: ok, or what the library tells its error function.
func PgoFleet(arguments []string) error {
	flags := flag.NewFlagSet("pgofleet", flag.ExitOnError)
	apiURL := flags.String("url", "", "where to submit")
	key := flags.String("key", "", "authorization key")
	interval := flags.Duration("interval", 10*time.Millisecond, "before each profile")
	sample := flags.Duration("sample", 300*time.Millisecond, "CPU time in each profile")
	times := flags.Int("times", 1, "profiles")
	file := flags.String("file", "", "submit this instead of profiles of its own")
	flags.Parse(arguments)
	endpoint, err := newCollectorEndpoint(*apiURL, *key)
	if err != nil {
		return err
	}
	for range *times {
		profile, err := nextProfile(*file, *interval, *sample)
		if err != nil {
			return err
		}
		if err := endpoint.submit(profile); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
	return nil
}

func nextProfile(file string, interval, sample time.Duration) (*bytes.Buffer, error) {
	if file != "" {
		content, err := os.ReadFile(file)
		return bytes.NewBuffer(content), err
	}
	time.Sleep(interval)
	profile := bytes.NewBuffer(nil)
	if err := pprof.StartCPUProfile(profile); err != nil {
		return nil, err
	}
	busy(sample)
	pprof.StopCPUProfile()
	return profile, nil
}

// No time-out, no type, no length: a request that was made by hand has none of them, and its body is an opaque reader.
type collectorEndpoint struct {
	client  *http.Client
	request *http.Request
}

func newCollectorEndpoint(apiURL, key string) (*collectorEndpoint, error) {
	parsed, err := url.Parse(apiURL)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Authorization": {"Bearer " + key}}
	return &collectorEndpoint{&http.Client{}, &http.Request{URL: parsed, Method: http.MethodPost, Header: header}}, nil
}

func (endpoint *collectorEndpoint) submit(profile io.Reader) error {
	request := endpoint.request.Clone(context.Background())
	request.Body = io.NopCloser(profile)
	response, err := endpoint.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("unexpected status code %d (%s)", response.StatusCode, response.Status)
	}
	return nil
}
