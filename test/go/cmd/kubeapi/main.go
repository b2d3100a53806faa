// Kubeapi is as much of a Kubernetes API server as `kubectl get pods` and `kubectl port-forward` ask for: TLS, one token, discovery, pods
// from a file, and port forwards over SPDY to addresses of this machine. It prints its address, and ends when its stdin does.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

// pod is a line of what is run where. Forwards are its ports, and who answers there.
type pod struct {
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Phase       string            `json:"phase"`
	PodIP       string            `json:"podIP"`
	HostIP      string            `json:"hostIP"`
	Forwards    map[string]string `json:"forwards"`
}

func main() {
	certificate := flag.String("certificate", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	token := flag.String("token", "", "that every request brings")
	podsFile := flag.String("pods", "", "JSON file with the pods")
	flag.Parse()
	content, err := os.ReadFile(*podsFile)
	if err != nil {
		log.Fatal(err)
	}
	var pods []pod
	if err := json.Unmarshal(content, &pods); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// Without HTTP/2: a connection of it cannot be taken over for SPDY.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{Handler: authenticated(*token, routes(pods)), Protocols: protocols}
	go server.ServeTLS(listener, *certificate, *key)
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func authenticated(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "Bearer "+token {
			fail(response, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
			return
		}
		next.ServeHTTP(response, request)
	})
}

func routes(pods []pod) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /version", answer(object{"major": "1", "minor": "32", "gitVersion": "v1.32.0"}))
	mux.HandleFunc("GET /api", answer(object{"kind": "APIVersions", "versions": []string{"v1"}}))
	mux.HandleFunc("GET /apis", answer(object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{}}))
	mux.HandleFunc("GET /api/v1", answer(object{"kind": "APIResourceList", "groupVersion": "v1", "resources": []object{
		{"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": []string{"get", "list"}, "shortNames": []string{"po"}},
		{"name": "pods/portforward", "namespaced": true, "kind": "PodPortForwardOptions", "verbs": []string{"create", "get"}},
	}}))
	list := func(response http.ResponseWriter, request *http.Request) {
		items := []object{}
		for _, each := range pods {
			isThere := request.PathValue("namespace") == "" || request.PathValue("namespace") == each.Namespace
			if isThere && matches(each.Labels, request.URL.Query().Get("labelSelector")) {
				items = append(items, each.object())
			}
		}
		answer(object{"kind": "PodList", "apiVersion": "v1", "metadata": object{"resourceVersion": "1"}, "items": items})(response, request)
	}
	mux.HandleFunc("GET /api/v1/pods", list)
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}/pods", list)
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}/pods/{name}", withPod(pods, func(found pod, response http.ResponseWriter, request *http.Request) {
		answer(found.object())(response, request)
	}))
	mux.HandleFunc("/api/v1/namespaces/{namespace}/pods/{name}/portforward", withPod(pods, forward))
	mux.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		fail(response, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	})
	return mux
}

func withPod(pods []pod, next func(pod, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		for _, each := range pods {
			if each.Namespace == request.PathValue("namespace") && each.Name == request.PathValue("name") {
				next(each, response, request)
				return
			}
		}
		fail(response, http.StatusNotFound, "NotFound", fmt.Sprintf("pods %q not found", request.PathValue("name")))
	}
}

type object = map[string]any

func (pod pod) object() object {
	return object{
		"kind": "Pod", "apiVersion": "v1",
		"metadata": object{"namespace": pod.Namespace, "name": pod.Name, "labels": pod.Labels, "annotations": pod.Annotations},
		"spec":     object{"containers": []object{{"name": "app", "image": "app"}}},
		"status":   object{"phase": pod.Phase, "podIP": pod.PodIP, "hostIP": pod.HostIP},
	}
}

// Equality is all that a selector has here.
func matches(labels map[string]string, selector string) bool {
	for _, term := range strings.Split(selector, ",") {
		name, value, isTerm := strings.Cut(term, "=")
		if isTerm && labels[name] != strings.TrimPrefix(value, "=") {
			return false
		}
	}
	return true
}

func answer(body object) http.HandlerFunc {
	return func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		json.NewEncoder(response).Encode(body)
	}
}

func fail(response http.ResponseWriter, code int, reason, message string) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(code)
	json.NewEncoder(response).Encode(object{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": message,
	})
}
