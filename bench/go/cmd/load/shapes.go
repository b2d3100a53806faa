package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// upload is one request as a system's own client makes it, and the status that this client takes for success.
type upload struct {
	url         string
	contentType string
	// Without a length, as the clients of Go PGO send them.
	isChunked bool
	body      []byte
	status    int
}

type identity struct{ service, profileType, labels string }

type shape func(base string, of identity, body []byte) upload

var shapes = map[string]shape{"profefe": profefe, "autopgo": autopgo, "pgo-fleet": pgoFleet, "pcapture": pcapture}

func (each upload) request() (*http.Request, error) {
	var body io.Reader = bytes.NewReader(each.body)
	if each.isChunked {
		body = io.NopCloser(body)
	}
	request, err := http.NewRequest(http.MethodPost, each.url, body)
	if err == nil && each.contentType != "" {
		request.Header.Set("Content-Type", each.contentType)
	}
	return request, err
}

func profefe(base string, of identity, body []byte) upload {
	query := url.Values{"service": {of.service}, "type": {of.profileType}, "labels": {of.labels}}
	return upload{base + "/api/0/profiles?" + query.Encode(), "application/octet-stream", false, body, http.StatusOK}
}

var notOfApps = regexp.MustCompile("[^a-z0-9]+")

// autopgo has no labels: what tells profiles apart is in the app's name.
func autopgo(base string, of identity, body []byte) upload {
	app := notOfApps.ReplaceAllString(strings.ToLower(of.service+"-"+of.labels), "-")
	return upload{base + "/api/profile/" + app, "", true, body, http.StatusCreated}
}

func pgoFleet(base string, of identity, body []byte) upload {
	query := url.Values{"service": {of.service}, "labels": {of.labels}}
	return upload{base + "/v1/submit?" + query.Encode(), "", true, body, http.StatusNoContent}
}

func pcapture(base string, of identity, body []byte) upload {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, _ := writer.CreateFormFile("cpu_profile", "cpu_profile") // a buffer takes everything
	part.Write(body)
	writer.Close()
	query := url.Values{"labels": {of.labels}}
	target := base + "/profile/" + of.service + "?" + query.Encode()
	return upload{target, writer.FormDataContentType(), true, form.Bytes(), http.StatusOK}
}
