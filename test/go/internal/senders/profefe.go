package senders

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
)

// Profefe is profefe's agent: it profiles its own process, one type after the other in the agent's order, sends each under the labels that
// follow the flags as names and values, and prints "sent TYPE", or what the agent tells its logger. It waits where the agent does after a
// failure, and neither between types nor before the first.
func Profefe(arguments []string) error {
	flags := flag.NewFlagSet("profefe", flag.ExitOnError)
	agent := &profefeAgent{client: http.DefaultClient}
	flags.StringVar(&agent.collector, "server", "http://localhost:10100", "where the collector is")
	flags.StringVar(&agent.service, "service", "", "what is profiled")
	flags.DurationVar(&agent.minDelay, "min-delay", 5*time.Second, "before the second attempt")
	types := flags.String("types", "cpu,heap,block,mutex,goroutine,threadcreate", "in the agent's order")
	cpu := flags.Duration("cpu", 300*time.Millisecond, "CPU time in the CPU profile")
	file := flags.String("file", "", "send this as each of the types instead of profiles of its own")
	flags.Parse(arguments)
	agent.labels = agentLabels(flags.Args())
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	contend()
	for _, profileType := range strings.Split(*types, ",") {
		var profile bytes.Buffer
		if err := collect(&profile, profileType, *cpu, *file); err != nil {
			fmt.Printf("[FAIL] unable to collect profiles: %v\n", err)
		} else if err := agent.send(context.Background(), profileType, &profile); err != nil {
			fmt.Printf("[FAIL] unable to send profiles: %v\n", err)
		} else {
			fmt.Println("sent", profileType)
		}
	}
	return nil
}

type profefeAgent struct {
	client             *http.Client
	collector, service string
	// Encoded once here, and once more in the query.
	labels   string
	minDelay time.Duration
}

func agentLabels(pairs []string) string {
	var labels []string
	for at := 0; at+1 < len(pairs); at += 2 {
		labels = append(labels, url.QueryEscape(pairs[at])+"="+url.QueryEscape(pairs[at+1]))
	}
	return strings.Join(labels, ",")
}

// Profiles of block and mutex have nothing to show before somebody waited for a lock.
func contend() {
	var lock sync.Mutex
	lock.Lock()
	done := make(chan struct{})
	go func() {
		lock.Lock()
		lock.Unlock()
		close(done)
	}()
	time.Sleep(10 * time.Millisecond)
	lock.Unlock()
	<-done
}

func collect(profile *bytes.Buffer, profileType string, cpu time.Duration, file string) error {
	if file != "" {
		content, err := os.ReadFile(file)
		profile.Write(content)
		return err
	}
	switch profileType {
	case "cpu":
		if err := pprof.StartCPUProfile(profile); err != nil {
			return err
		}
		busy(cpu)
		pprof.StopCPUProfile()
		return nil
	case "heap":
		return pprof.WriteHeapProfile(profile)
	default:
		found := pprof.Lookup(profileType)
		if found == nil {
			return fmt.Errorf("unknown profile type %v", profileType)
		}
		return found.WriteTo(profile, 0)
	}
}

const (
	agentAttempts = 10
	agentMaxDelay = 2 * time.Minute
)

// What the client is to blame for.
var errDropped = errors.New("bad request")

// Each attempt waits longer, by the smallest delay; the request goes out as it was.
func (agent *profefeAgent) send(ctx context.Context, profileType string, profile *bytes.Buffer) error {
	query := url.Values{}
	query.Set("service", agent.service)
	query.Set("labels", agent.labels)
	query.Set("type", profileType)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, agent.collector+"/api/0/profiles?"+query.Encode(), profile)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		err := agent.attempt(request)
		if err == nil || errors.Is(err, errDropped) || attempt == agentAttempts {
			return err
		}
		fmt.Printf("attempt %d: %v\n", attempt, err)
		time.Sleep(min(time.Duration(attempt)*agent.minDelay, agentMaxDelay))
		if request.Body, err = request.GetBody(); err != nil {
			return err
		}
	}
}

// Of an answer below 400 nothing is read.
func (agent *profefeAgent) attempt(request *http.Request) error {
	response, err := agent.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < 400 {
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 500 {
		return fmt.Errorf("unexpected response from collector %s: %s", response.Status, body)
	}
	return fmt.Errorf("%w: collector responded with %s: %s", errDropped, response.Status, body)
}
