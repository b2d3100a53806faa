// Web renders pages for tenants, under pprof labels: the second of the four programs that the corpus is recorded from.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"

	"profusion/bench/go/internal/record"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, routes())
	site := site{base: "http://" + listener.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	record.Main([]record.Task{
		func(call int) { site.get(call, fmt.Sprintf("/page/%d", call%300)) },
		func(call int) { site.get(call, fmt.Sprintf("/thumbnail/%d.png", call%40)) },
		func(call int) { site.get(call, fmt.Sprintf("/chart/%d.gif", call%40)) },
		func(call int) {
			site.get(call, "/feed?"+url.Values{"tag": {"go", "profile & more"}, "n": {fmt.Sprint(call % 30)}}.Encode())
		},
		func(call int) { site.get(call, fmt.Sprintf("/table/%d", call%20)) },
		func(call int) { site.form(call, "/comment") },
		func(call int) { site.get(call, fmt.Sprintf("/mail/%d", call%20)) },
		func(call int) { site.get(call, fmt.Sprintf("/photo/%d.jpeg", call%40)) },
	})
}

type site struct {
	base   string
	client *http.Client
}

func (s site) get(call int, path string) {
	request, _ := http.NewRequestWithContext(context.Background(), "GET", s.base+path, nil)
	s.send(call, request)
}

func (s site) form(call int, path string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("text", strings.Repeat("<b>Hello</b> & good-bye, https://example.com/?a=b ", 40+call%20))
	file, _ := form.CreateFormFile("attachment", "notes.txt")
	io.WriteString(file, strings.Repeat("line of text\n", 500))
	form.Close()
	request, _ := http.NewRequest("POST", s.base+path, &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	s.send(call, request)
}

func (s site) send(call int, request *http.Request) {
	request.Header.Set("X-Tenant", fmt.Sprintf("tenant-%d", call%12))
	answer, err := s.client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
}
