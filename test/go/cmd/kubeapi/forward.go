package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/moby/spdystream"
)

const upgraded = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n"

// forward speaks portforward.k8s.io: of each connection there are two streams, one for its bytes and one for what went wrong. A WebSocket is
// refused, as servers before 1.31 do, and kubectl asks again for SPDY.
func forward(target pod, response http.ResponseWriter, request *http.Request) {
	if !strings.EqualFold(request.Header.Get("Upgrade"), "SPDY/3.1") {
		fail(response, http.StatusBadRequest, "BadRequest", "you must specify SPDY/3.1")
		return
	}
	taken, _, err := response.(http.Hijacker).Hijack()
	if err != nil {
		fail(response, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	io.WriteString(taken, upgraded)
	connection, err := spdystream.NewConnection(taken, true)
	if err != nil {
		taken.Close()
		return
	}
	streams := &forwardStreams{target: target, faults: map[string]*spdystream.Stream{}}
	connection.Serve(streams.accept)
}

type forwardStreams struct {
	target pod
	lock   sync.Mutex
	// By the id that a connection's two streams share; the client opens this one first.
	faults map[string]*spdystream.Stream
}

func (streams *forwardStreams) accept(stream *spdystream.Stream) {
	stream.SendReply(http.Header{}, false)
	id, port := stream.Headers().Get("requestID"), stream.Headers().Get("port")
	streams.lock.Lock()
	defer streams.lock.Unlock()
	if stream.Headers().Get("streamType") == "error" {
		streams.faults[id] = stream
		return
	}
	fault := streams.faults[id]
	delete(streams.faults, id)
	go streams.copy(stream, fault, port)
}

func (streams *forwardStreams) copy(data, fault *spdystream.Stream, port string) {
	defer fault.Close()
	defer data.Close()
	connection, err := net.Dial("tcp", streams.target.Forwards[port])
	if err != nil {
		fmt.Fprintf(fault, "error forwarding port %s to pod %s: connection refused", port, streams.target.Name)
		return
	}
	defer connection.Close()
	go func() {
		io.Copy(connection, data)
		connection.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(data, connection)
}
