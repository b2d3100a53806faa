// Api is a JSON service under a loopback client: the first of the four programs that the corpus is recorded from.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"profusion/bench/go/internal/record"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, routes())
	base := "http://" + listener.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	record.Main([]record.Task{
		func(call int) { post(client, base+"/orders", orderJSON(call)) },
		func(call int) { post(client, base+"/orders/batch", batchJSON(call)) },
		func(call int) { get(client, fmt.Sprintf("%s/search?q=item+%d&sort=price", base, call%50)) },
		func(call int) { get(client, fmt.Sprintf("%s/report?month=%d", base, call%12)) },
		func(call int) { post(client, base+"/upload", blob(call)) },
		func(call int) { get(client, fmt.Sprintf("%s/export.xml?from=%d", base, call%100)) },
		func(call int) { get(client, fmt.Sprintf("%s/sign?user=%d", base, call%500)) },
		func(call int) { post(client, base+"/import.csv", csvBody(call)) },
	})
}

func get(client *http.Client, url string) {
	answer, err := client.Get(url)
	drain(answer, err)
}

func post(client *http.Client, url string, body []byte) {
	answer, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
	drain(answer, err)
}

func drain(answer *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
}
