package senders

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path"
	"syscall"
	"time"
)

// Autopgo is autopgo's command line: upload, download, list, delete, clean, and scrape of the targets in a file; with its flags, which stand
// before arguments here, and AUTOPGO_API_URL.
func Autopgo(arguments []string) error {
	verbs := map[string]func(server *autopgoServer, arguments []string) error{
		"upload":   (*autopgoServer).runUpload,
		"download": (*autopgoServer).runDownload,
		"list":     (*autopgoServer).runList,
		"delete":   (*autopgoServer).runDelete,
		"clean":    (*autopgoServer).runClean,
		"scrape":   (*autopgoServer).runScrape,
	}
	if len(arguments) == 0 || verbs[arguments[0]] == nil {
		return fmt.Errorf("usage: senders autopgo upload|download|list|delete|clean|scrape ...")
	}
	server := &autopgoServer{client: &http.Client{Timeout: time.Minute}, flags: flag.NewFlagSet(arguments[0], flag.ExitOnError)}
	server.text(&server.apiURL, "api-url", "u", valueOr(os.Getenv("AUTOPGO_API_URL"), "http://localhost:8080"))
	return verbs[arguments[0]](server, arguments[1:])
}

type autopgoServer struct {
	client *http.Client
	flags  *flag.FlagSet
	apiURL string
}

func (server *autopgoServer) text(value *string, long, short, preset string) {
	server.flags.StringVar(value, long, preset, "")
	server.flags.StringVar(value, short, preset, "")
}

func (server *autopgoServer) runUpload(arguments []string) error {
	var app string
	server.text(&app, "app", "a", "")
	server.flags.Parse(arguments)
	file, err := os.Open(server.flags.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	return server.upload(context.Background(), app, file)
}

// The output is emptied before the question is asked, as there: where this fails, an empty file is left.
func (server *autopgoServer) runDownload(arguments []string) error {
	var output string
	server.text(&output, "output", "o", "default.pgo")
	server.flags.Parse(arguments)
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer file.Close()
	body, err := server.ask(context.Background(), http.MethodGet, server.flags.Arg(0), nil, http.StatusOK)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(file, body)
	return err
}

func (server *autopgoServer) runList(arguments []string) error {
	server.flags.Parse(arguments)
	profiles, err := server.list()
	for _, profile := range profiles {
		fmt.Println(profile.Key, profile.Size, profile.LastModified.Format(time.RFC3339Nano))
	}
	return err
}

func (server *autopgoServer) runDelete(arguments []string) error {
	server.flags.Parse(arguments)
	return server.delete(server.flags.Arg(0))
}

func (server *autopgoServer) runClean(arguments []string) error {
	var olderThan time.Duration
	var largerThan int64
	server.flags.DurationVar(&olderThan, "older-than", 0, "")
	server.flags.Int64Var(&largerThan, "larger-than", 0, "")
	server.flags.Parse(arguments)
	profiles, err := server.list()
	if err != nil {
		return err
	}
	for _, profile := range profiles {
		isOld := olderThan > 0 && profile.LastModified.Add(olderThan).Before(time.Now())
		isLarge := largerThan > 0 && profile.Size > largerThan
		if !isOld && !isLarge {
			continue
		}
		if err := server.delete(profile.Key); err != nil {
			return err
		}
		fmt.Printf("Deleted profile '%s'\n", profile.Key)
	}
	return nil
}

type target struct {
	Address string `json:"address"`
	Path    string `json:"path"`
}

// Until a signal. What fails is printed, and the profile lost.
func (server *autopgoServer) runScrape(arguments []string) error {
	var app string
	server.text(&app, "app", "a", "")
	sampleSize := server.flags.Int("sample-size", 0, "")
	duration := server.flags.Duration("duration", 30*time.Second, "")
	frequency := server.flags.Duration("frequency", time.Minute, "")
	server.flags.Parse(arguments)
	content, err := os.ReadFile(server.flags.Arg(0))
	if err != nil {
		return err
	}
	var targets []target
	if err := json.Unmarshal(content, &targets); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ticker := time.NewTicker(*frequency)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			server.scrapeSome(ctx, app, targets[:min(*sampleSize, len(targets))], *duration)
		}
	}
}

func (server *autopgoServer) scrapeSome(ctx context.Context, app string, targets []target, duration time.Duration) {
	done := make(chan error)
	for _, one := range targets {
		go func() { done <- server.scrapeOne(ctx, app, one, duration) }()
	}
	for range targets {
		if err := <-done; err != nil {
			fmt.Println(err)
		}
	}
}

// The target's answer goes on as it comes.
func (server *autopgoServer) scrapeOne(ctx context.Context, app string, one target, duration time.Duration) error {
	address, err := url.Parse(one.Address)
	if err != nil {
		return err
	}
	address.Path = valueOr(one.Path, "/debug/pprof/profile")
	address.RawQuery = fmt.Sprintf("seconds=%g", duration.Seconds())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return err
	}
	response, err := server.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("target answered %d", response.StatusCode)
	}
	return server.upload(ctx, app, response.Body)
}

func (server *autopgoServer) upload(ctx context.Context, app string, profile io.Reader) error {
	body, err := server.ask(ctx, http.MethodPost, app, profile, http.StatusCreated)
	if err != nil {
		return err
	}
	return body.Close()
}

type listedProfile struct {
	Key          string    `json:"key"`
	Size         int64     `json:"size"`
	LastModified time.Time `json:"lastModified"`
}

func (server *autopgoServer) list() ([]listedProfile, error) {
	body, err := server.ask(context.Background(), http.MethodGet, "", nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var answer struct {
		Profiles []listedProfile `json:"profiles"`
	}
	err = json.NewDecoder(body).Decode(&answer)
	return answer.Profiles, err
}

func (server *autopgoServer) delete(app string) error {
	body, err := server.ask(context.Background(), http.MethodDelete, app, nil, http.StatusOK)
	if err != nil {
		return err
	}
	return body.Close()
}

// One status is success. The path of the URL is replaced; who asks and the query stay.
func (server *autopgoServer) ask(ctx context.Context, method, app string, body io.Reader, success int) (io.ReadCloser, error) {
	address, err := url.Parse(server.apiURL)
	if err != nil {
		return nil, err
	}
	address.Path = path.Join("/api", "profile", app)
	request, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return nil, err
	}
	response, err := server.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == success {
		return response.Body, nil
	}
	defer response.Body.Close()
	var refusal struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	}
	if err := json.NewDecoder(response.Body).Decode(&refusal); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s (%d)", refusal.Message, refusal.Code)
}

func valueOr(value, preset string) string {
	if value == "" {
		return preset
	}
	return value
}
