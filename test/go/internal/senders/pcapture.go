package senders

import (
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"runtime/pprof"
	"time"
)

// Pcapture is suessflorian/pgo's library: one CPU profile of the process from its start to its end, in a file of the working folder, sent
// as the one part of a form. The library knows http://localhost:8080 alone, and loses what came back: this prints it.
func Pcapture(arguments []string) error {
	flags := flag.NewFlagSet("pcapture", flag.ExitOnError)
	server := flags.String("server", "http://localhost:8080/profile", "where profiles are posted")
	tag := flags.String("tag", "", "of the profile")
	lifetime := flags.Duration("for", 500*time.Millisecond, "CPU time of the process")
	field := flags.String("field", "cpu_profile", "name of the form's part")
	flags.Parse(arguments)
	file, err := os.CreateTemp("", "*.profile")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	busy(*lifetime)
	pprof.StopCPUProfile()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	response, err := postForm(*server+"/"+*tag, *field, file)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Printf("%d %s\n", response.StatusCode, body)
	return err
}

// postForm pipes the form as it is written, so that it has no length.
func postForm(url, field string, file io.Reader) (*http.Response, error) {
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		part, err := form.CreateFormFile(field, field)
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	request, err := http.NewRequest(http.MethodPost, url, reader)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	client := &http.Client{Timeout: 5 * time.Second}
	return client.Do(request)
}
