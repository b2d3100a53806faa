// Hello-world is a service that has something to do, and serves net/http/pprof. It prints its address.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"strings"
)

func main() {
	address := flag.String("listen", "127.0.0.1:6060", "where to serve")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	go work()
	log.Fatal(http.Serve(listener, nil))
}

func work() {
	names := strings.Fields("Ada Barbara Grace Frances Jean")
	for round := 0; ; round++ {
		greet(names[round%len(names)])
	}
}

func greet(name string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Repeat("Hello, "+name+"! ", 100)))
}
