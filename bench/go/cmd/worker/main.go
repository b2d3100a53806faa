// Worker drains queues: encodes, compresses, encrypts, signs, caches, sorts. The last of the four programs that the corpus is recorded from.
package main

import (
	"log"
	"os"
	"sync"

	"profusion/bench/go/internal/record"
	"profusion/bench/go/internal/release"
)

// A job goes through the queue of its kind to one of a few goroutines, as in services that consume from a broker.
type job struct {
	call int
	done *sync.WaitGroup
}

type queue chan job

func startQueue(handle func(call int)) queue {
	jobs := make(queue, 8)
	for range 2 {
		go func() {
			for each := range jobs {
				process(each, handle)
			}
		}()
	}
	return jobs
}

func process(each job, handle func(call int)) {
	defer each.done.Done()
	if release.Second {
		withRetry(3, func() { handle(each.call) })
		return
	}
	handle(each.call)
}

func withRetry(attempts int, try func()) {
	for range attempts {
		if func() (failed bool) {
			defer func() { failed = recover() != nil }()
			try()
			return false
		}() {
			continue
		}
		return
	}
}

func (jobs queue) task(call int) {
	var done sync.WaitGroup
	for nth := range 4 {
		done.Add(1)
		jobs <- job{call*4 + nth, &done}
	}
	done.Wait()
}

func main() {
	folder, err := os.MkdirTemp("", "worker")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	var tasks []record.Task
	for _, handle := range handlers(folder) {
		tasks = append(tasks, startQueue(handle).task)
	}
	record.Main(tasks)
}
