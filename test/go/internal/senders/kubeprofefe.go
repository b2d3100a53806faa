package senders

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// KubeProfefe is kube-profefe's client, which its scraper and its kubectl plugin share: save sends a file as what a pod's endpoint of that
// type answered, find lists, services lists services. It prints what the two print, and takes 200 alone for success.
func KubeProfefe(arguments []string) error {
	verbs := map[string]func(flags *flag.FlagSet, arguments []string) error{"save": runSave, "find": runFind, "services": runServices}
	if len(arguments) == 0 || verbs[arguments[0]] == nil {
		return fmt.Errorf("usage: senders kubeprofefe save|find|services ...")
	}
	return verbs[arguments[0]](flag.NewFlagSet(arguments[0], flag.ExitOnError), arguments[1:])
}

const kubeTimeFormat = "2006-01-02T15:04:05"

func hostPort(flags *flag.FlagSet) *string {
	return flags.String("profefe-hostport", "http://localhost:10100", "where profefe is")
}

func runSave(flags *flag.FlagSet, arguments []string) error {
	server := hostPort(flags)
	service := flags.String("service", "", "of the pod's annotation; without it the pod is the service")
	pod := flags.String("pod", "", "its name")
	namespace := flags.String("namespace", "default", "its namespace")
	hostIP := flags.String("host-ip", "10.0.0.7", "of its node")
	profileType := flags.String("type", "", "as profefe names it")
	flags.Parse(arguments)
	content, err := annotated(flags.Arg(0), *profileType, "http://10.1.2.3:6060/debug/pprof")
	if err != nil {
		return err
	}
	labels := map[string]string{"namespace": *namespace, "from": "kube-profefe"}
	name := *pod
	if *service != "" {
		name = *service
		labels["pod"] = *pod
	}
	query := url.Values{}
	query.Add("service", name)
	query.Add("instance_id", *hostIP)
	query.Add("type", *profileType)
	query.Add("labels", kubeLabels(labels))
	var saved savedProfile
	if err := askProfefe(http.MethodPost, *server+"/api/0/profiles?"+query.Encode(), content, &saved); err != nil {
		return err
	}
	fmt.Printf("%s/api/0/profiles/%s type=%s\n", *server, saved.ID, saved.Type)
	return nil
}

// It is read and written again, with what it is of in its comments.
func annotated(file, profileType, address string) (*bytes.Buffer, error) {
	content, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	parsed, err := profile.Parse(content)
	if err != nil {
		return nil, err
	}
	parsed.Comments = append(parsed.Comments, "type="+profileType, "url="+address)
	var body bytes.Buffer
	return &body, parsed.Write(&body)
}

// In the order of a map, each behind a comma, encoded by the query alone.
func kubeLabels(labels map[string]string) string {
	var text strings.Builder
	for name, value := range labels {
		text.WriteString("," + name + "=" + value)
	}
	return text.String()
}

func runFind(flags *flag.FlagSet, arguments []string) error {
	server := hostPort(flags)
	service := flags.String("service", "", "")
	profileType := flags.String("profile-type", "cpu", "")
	from := flags.Duration("from", -24*time.Hour, "added to now")
	to := flags.Duration("to", 0, "added to now")
	flags.Parse(arguments)
	now := time.Now().UTC()
	query := url.Values{}
	query.Add("from", now.Add(*from).Format(kubeTimeFormat))
	query.Add("to", now.Add(*to).Format(kubeTimeFormat))
	query.Add("type", *profileType)
	query.Add("service", *service)
	var found []savedProfile
	if err := askProfefe(http.MethodGet, *server+"/api/0/profiles?"+query.Encode(), &bytes.Buffer{}, &found); err != nil {
		return err
	}
	for _, each := range found {
		fmt.Printf("ID: %s Type: %s Service: %s CreateAt: %s\n", each.ID, each.Type, each.Service, each.CreatedAt.Format(time.RFC1123))
	}
	return nil
}

func runServices(flags *flag.FlagSet, arguments []string) error {
	server := hostPort(flags)
	flags.Parse(arguments)
	var services []string
	if err := askProfefe(http.MethodGet, *server+"/api/0/services", &bytes.Buffer{}, &services); err != nil {
		return err
	}
	fmt.Println(strings.Join(services, "\n"))
	return nil
}

type savedProfile struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Service   string    `json:"service"`
	CreatedAt time.Time `json:"created_at"`
}

// Each request belongs to a trace; the name of the client's header has no hyphen. What does not parse is a failure, whatever the status.
func askProfefe(method, address string, body *bytes.Buffer, into any) error {
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		request.Header.Add("UserAgent", "kubectl-profefe")
		request.Header.Add("Content-Type", "application/octet-stream")
	}
	ids := make([]byte, 24)
	rand.Read(ids)
	request.Header.Set("traceparent", fmt.Sprintf("00-%x-%x-01", ids[:16], ids[16:]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Body  json.RawMessage `json:"body"`
		Error string          `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(answer.Error)
	}
	return json.Unmarshal(answer.Body, into)
}
