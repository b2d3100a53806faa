// Package profusion keeps pgolib's profiles in a Profusion server.
package profusion

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Storage has the five methods of pgolib's storage.Storage. Times count to the millisecond, and both ends of a range are in it.
type Storage struct {
	Server  string // such as http://127.0.0.1:10100
	Service string
	Key     string // may be empty
}

// SaveProfile stores it once, however often it is sent.
func (s *Storage) SaveProfile(ctx context.Context, createdAt time.Time, profile []byte) error {
	metadata := map[string]any{"service": s.Service, "profileType": "cpu", "startTime": createdAt.UTC().Truncate(time.Millisecond), "startTimeFirst": true}
	return s.call(ctx, "CreateProfile", map[string]any{"metadata": metadata, "profileBytes": profile}, nil)
}

func (s *Storage) GetProfile(ctx context.Context, createdAt time.Time) ([]byte, error) {
	return s.merge(ctx, createdAt, createdAt)
}

// GetProfiles answers one profile, the sum of all in the range: the server adds them up.
func (s *Storage) GetProfiles(ctx context.Context, startedAt, endedAt time.Time) ([][]byte, error) {
	sum, err := s.merge(ctx, startedAt, endedAt)
	if err != nil {
		return nil, err
	}
	return [][]byte{sum}, nil
}

func (s *Storage) DeleteProfile(ctx context.Context, createdAt time.Time) error {
	return s.DeleteProfiles(ctx, createdAt, createdAt)
}

// DeleteProfiles deletes what is there when it is called, of this service alone.
func (s *Storage) DeleteProfiles(ctx context.Context, startedAt, endedAt time.Time) error {
	from, to := window(startedAt, endedAt)
	interval := map[string]any{"startTime": from, "endTime": to}
	question := map[string]any{"selector": "cpu{service=" + strconv.Quote(s.Service) + "}", "interval": interval, "validateOnly": true}
	var counted struct{ Etag string }
	if err := s.call(ctx, "DeleteProfiles", question, &counted); err != nil {
		return err
	}
	question["validateOnly"], question["etag"] = false, counted.Etag
	return s.call(ctx, "DeleteProfiles", question, nil)
}

func (s *Storage) merge(ctx context.Context, startedAt, endedAt time.Time) ([]byte, error) {
	from, to := window(startedAt, endedAt)
	query := url.Values{"service": {s.Service}, "type": {"cpu"}, "from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	return s.do(ctx, http.MethodGet, "/api/0/profiles/merge?"+query.Encode(), nil)
}

func (s *Storage) call(ctx context.Context, method string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	content, err := s.do(ctx, http.MethodPost, "/profusion.v1.ProfileService/"+method, body)
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(content, answer)
}

func (s *Storage) do(ctx context.Context, method, target string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.Server+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.Key != "" {
		request.Header.Set("Authorization", "Bearer "+s.Key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("profusion answers %s: %s", response.Status, content)
	}
	return content, err
}

// The server's windows are without their end.
func window(startedAt, endedAt time.Time) (from, to time.Time) {
	return startedAt.UTC().Truncate(time.Millisecond), endedAt.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
}
