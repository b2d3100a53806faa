// Ingest-server is the peer of our ingest. It does what profefe does for an upload and no more: read the body, google/pprof's Parse,
// append to a file, fdatasync, answer JSON. It prints its URL and ends when its standard input does.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/pprof/profile"
)

type server struct {
	appending sync.Mutex
	file      *os.File
	next      atomic.Int64
}

func main() {
	folder := flag.String("folder", "", "folder of the data")
	flag.Parse()
	file, err := os.Create(filepath.Join(*folder, "profiles"))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	serving := &server{file: file}
	go http.Serve(listener, http.HandlerFunc(serving.create))
	fmt.Printf("http://%s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	parsed, err := profile.Parse(bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	query := r.URL.Query()
	meta, _ := json.Marshal(map[string]any{
		"id": s.next.Add(1), "service": query.Get("service"), "type": query.Get("type"), "labels": strings.Split(query.Get("labels"), ","),
		"created_at": time.Unix(0, parsed.TimeNanos).UTC(),
	})
	if err := s.append(meta, body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"code":200,"body":%s}`, meta)
}

// append writes under a lock and syncs outside of it, so that uploads at the same time share what the disk does.
func (s *server) append(meta, body []byte) error {
	frame := binary.LittleEndian.AppendUint32(nil, uint32(len(meta)))
	frame = append(binary.LittleEndian.AppendUint32(frame, uint32(len(body))), meta...)
	frame = append(frame, body...)
	s.appending.Lock()
	_, err := s.file.Write(frame)
	s.appending.Unlock()
	if err != nil {
		return err
	}
	return syscall.Fdatasync(int(s.file.Fd()))
}
