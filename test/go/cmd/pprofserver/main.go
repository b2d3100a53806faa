// Pprofserver is a program that works a little and serves net/http/pprof, as `profusion push` of a URL meets it. It prints its address,
// and ends when its stdin does.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
)

func main() {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, nil)
	var lock sync.Mutex
	for range 2 {
		go busy(&lock)
	}
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

var sink []byte

func busy(lock *sync.Mutex) {
	for {
		lock.Lock()
		sink = make([]byte, 1024)
		for at := range sink {
			sink[at] = byte(at)
		}
		lock.Unlock()
	}
}
