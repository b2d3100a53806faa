// Package exercise calls every method of the contract once, whatever library carries the calls, and says what it saw.
package exercise

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/pprof/profile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	profusionv1 "profusion/test/go/gen/profusion/v1"
)

// Unary is one method, as a plain function.
type Unary[Request, Response any] func(context.Context, *Request) (*Response, error)

// ServerStream is one streaming answer, read to its end.
type ServerStream[Request, Response any] func(context.Context, *Request) ([]*Response, error)

// Client is the contract as functions; each library fills it in its own way.
type Client struct {
	Create         Unary[profusionv1.CreateProfileRequest, profusionv1.CreateProfileResponse]
	BatchCreate    Unary[profusionv1.BatchCreateProfilesRequest, profusionv1.BatchCreateProfilesResponse]
	Upload         func(context.Context, []*profusionv1.UploadProfileRequest) (*profusionv1.UploadProfileResponse, error)
	Get            Unary[profusionv1.GetProfileRequest, profusionv1.GetProfileResponse]
	Download       ServerStream[profusionv1.DownloadProfileRequest, profusionv1.DownloadProfileResponse]
	List           Unary[profusionv1.ListProfilesRequest, profusionv1.ListProfilesResponse]
	Delete         Unary[profusionv1.DeleteProfileRequest, profusionv1.DeleteProfileResponse]
	DeleteMany     Unary[profusionv1.DeleteProfilesRequest, profusionv1.DeleteProfilesResponse]
	Merge          Unary[profusionv1.MergeProfilesRequest, profusionv1.MergeProfilesResponse]
	StreamMerged   ServerStream[profusionv1.StreamMergedProfileRequest, profusionv1.StreamMergedProfileResponse]
	Top            Unary[profusionv1.ListTopFunctionsRequest, profusionv1.ListTopFunctionsResponse]
	ParseSelector  Unary[profusionv1.ParseSelectorRequest, profusionv1.ParseSelectorResponse]
	ListServices   Unary[profusionv1.ListServicesRequest, profusionv1.ListServicesResponse]
	ListTypes      Unary[profusionv1.ListProfileTypesRequest, profusionv1.ListProfileTypesResponse]
	ListLabelNames Unary[profusionv1.ListLabelNamesRequest, profusionv1.ListLabelNamesResponse]
	ListValues     Unary[profusionv1.ListLabelValuesRequest, profusionv1.ListLabelValuesResponse]
	ListSeries     Unary[profusionv1.ListSeriesRequest, profusionv1.ListSeriesResponse]
	PgoProfile     Unary[profusionv1.GetPgoProfileRequest, profusionv1.GetPgoProfileResponse]
	PgoReport      Unary[profusionv1.GetPgoReportRequest, profusionv1.GetPgoReportResponse]
	UpdatePolicy   Unary[profusionv1.UpdatePgoPolicyRequest, profusionv1.UpdatePgoPolicyResponse]
	GetPolicy      Unary[profusionv1.GetPgoPolicyRequest, profusionv1.GetPgoPolicyResponse]
	ListPolicies   Unary[profusionv1.ListPgoPoliciesRequest, profusionv1.ListPgoPoliciesResponse]
	DeletePolicy   Unary[profusionv1.DeletePgoPolicyRequest, profusionv1.DeletePgoPolicyResponse]
	Publish        Unary[profusionv1.PublishReleaseRequest, profusionv1.PublishReleaseResponse]
	GetRelease     Unary[profusionv1.GetReleaseRequest, profusionv1.GetReleaseResponse]
	ListReleases   Unary[profusionv1.ListReleasesRequest, profusionv1.ListReleasesResponse]
	MoveChannel    Unary[profusionv1.MoveChannelRequest, profusionv1.MoveChannelResponse]
	ListChannels   Unary[profusionv1.ListChannelsRequest, profusionv1.ListChannelsResponse]
	// CodeOf names the code of an error of this library, such as not_found.
	CodeOf func(error) string
}

// Report is what was seen; the test compares it.
type Report struct {
	Existed         []bool   `json:"existed"`
	BatchCodes      []int32  `json:"batchCodes"`
	DownloadIsSent  bool     `json:"downloadIsSent"`
	Pages           []int    `json:"pages"`
	Merged          int64    `json:"merged"`
	MergedTotal     int64    `json:"mergedTotal"`
	ExpectedTotal   int64    `json:"expectedTotal"`
	StreamIsMerge   bool     `json:"streamIsMerge"`
	TopTotal        int64    `json:"topTotal"`
	Canonical       string   `json:"canonical"`
	Services        []string `json:"services"`
	Types           []string `json:"types"`
	LabelNames      []string `json:"labelNames"`
	LabelValues     []string `json:"labelValues"`
	Series          int      `json:"series"`
	PgoTotal        int64    `json:"pgoTotal"`
	PgoIsReported   bool     `json:"pgoIsReported"`
	Policies        []string `json:"policies"`
	Releases        []string `json:"releases"`
	ReleaseIsPgo    bool     `json:"releaseIsPgo"`
	Channels        []string `json:"channels"`
	UnknownCode     string   `json:"unknownCode"`
	EmptyCode       string   `json:"emptyCode"`
	UnboundedCode   string   `json:"unboundedCode"`
	PreviewCount    int64    `json:"previewCount"`
	Deleted         int64    `json:"deleted"`
	Left            int      `json:"left"`
	ForeignEtagCode string   `json:"foreignEtagCode"`
}

// run stops at the first call that fails where none may.
type run struct {
	ctx     context.Context
	client  Client
	service string
	files   [][]byte
	report  Report
}

// Run pushes three cpu profiles from files under a service of its own and asks everything about them.
func Run(ctx context.Context, client Client, service string, paths []string) (report *Report, err error) {
	r := &run{ctx: ctx, client: client, service: service}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r.files = append(r.files, file)
	}
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("%v", failure)
		}
	}()
	r.push()
	r.read()
	r.merge()
	r.ask()
	r.pgo()
	r.fail()
	r.delete()
	return &r.report, nil
}

func must[Request, Response any](r *run, call Unary[Request, Response], request *Request) *Response {
	response, err := call(r.ctx, request)
	if err != nil {
		panic(fmt.Sprintf("%T: %v", request, err))
	}
	return response
}

func (r *run) metadata(version string) *profusionv1.ProfileMetadata {
	labels := []*profusionv1.Label{{Name: "version", Value: version}}
	return &profusionv1.ProfileMetadata{Service: r.service, ProfileType: "cpu", Labels: labels}
}

func (r *run) push() {
	create := &profusionv1.CreateProfileRequest{Metadata: r.metadata("1"), ProfileBytes: r.files[0]}
	for range 2 {
		r.report.Existed = append(r.report.Existed, must(r, r.client.Create, create).AlreadyExisted)
	}
	batch := &profusionv1.BatchCreateProfilesRequest{Requests: []*profusionv1.CreateProfileRequest{
		{Metadata: r.metadata("2"), ProfileBytes: r.files[1]},
		{Metadata: r.metadata("2"), ProfileBytes: []byte("this is no profile")},
	}}
	for _, result := range must(r, r.client.BatchCreate, batch).Results {
		r.report.BatchCodes = append(r.report.BatchCodes, result.GetError().GetCode())
	}
	parts := []*profusionv1.UploadProfileRequest{{Part: &profusionv1.UploadProfileRequest_Metadata{Metadata: r.metadata("3")}}}
	for chunk := range slices.Chunk(r.files[2], 1000) {
		parts = append(parts, &profusionv1.UploadProfileRequest{Part: &profusionv1.UploadProfileRequest_Chunk{Chunk: chunk}})
	}
	uploaded, err := r.client.Upload(r.ctx, parts)
	if err != nil {
		panic(fmt.Sprintf("upload: %v", err))
	}
	got := must(r, r.client.Get, &profusionv1.GetProfileRequest{Id: uploaded.Profile.Id}).Profile
	if got.Service != r.service || got.SizeBytes != int64(len(r.files[2])) || got.StartTime == nil {
		panic(fmt.Sprintf("get: %v", got))
	}
	pieces, err := r.client.Download(r.ctx, &profusionv1.DownloadProfileRequest{Id: uploaded.Profile.Id})
	if err != nil {
		panic(fmt.Sprintf("download: %v", err))
	}
	var content []byte
	for _, piece := range pieces {
		content = append(content, piece.GetChunk()...)
	}
	r.report.DownloadIsSent = bytes.Equal(content, r.files[2]) && pieces[0].GetProfile().GetId() == uploaded.Profile.Id
}

func (r *run) selector() string { return fmt.Sprintf("cpu{service=%q}", r.service) }

func (r *run) read() {
	request := &profusionv1.ListProfilesRequest{Selector: r.selector(), PageSize: 2}
	for {
		page := must(r, r.client.List, request)
		r.report.Pages = append(r.report.Pages, len(page.Profiles))
		if page.NextPageToken == "" {
			return
		}
		request.PageToken = page.NextPageToken
	}
}

func (r *run) merge() {
	interval := &profusionv1.Interval{StartTime: timestamppb.New(timestamppb.Now().AsTime().AddDate(-50, 0, 0))}
	selection := &profusionv1.Selection{Selector: r.selector(), Interval: interval}
	merged := must(r, r.client.Merge, &profusionv1.MergeProfilesRequest{Selection: selection})
	r.report.Merged = merged.Summary.Merged
	r.report.MergedTotal = total(merged.ProfileBytes)
	for _, file := range r.files {
		r.report.ExpectedTotal += total(file)
	}
	r.report.TopTotal = must(r, r.client.Top, &profusionv1.ListTopFunctionsRequest{Selection: selection}).GetTotal()
	pieces, err := r.client.StreamMerged(r.ctx, &profusionv1.StreamMergedProfileRequest{Selection: selection})
	if err != nil {
		panic(fmt.Sprintf("stream merged: %v", err))
	}
	streamed := sha256.New()
	for _, piece := range pieces {
		streamed.Write(piece.GetChunk())
	}
	whole := sha256.Sum256(merged.ProfileBytes)
	sameBytes := hex.EncodeToString(streamed.Sum(nil)) == hex.EncodeToString(whole[:])
	r.report.StreamIsMerge = sameBytes && pieces[0].GetSummary().GetEtag() == merged.Summary.Etag
}

// pgo makes a PGO profile by a policy of its own and publishes it.
func (r *run) pgo() {
	policy := &profusionv1.PgoPolicy{Name: "own", MinSamples: proto.Int64(1), Weighting: profusionv1.PgoWeighting_PGO_WEIGHTING_NONE}
	set := must(r, r.client.UpdatePolicy, &profusionv1.UpdatePgoPolicyRequest{Service: r.service, Policy: policy})
	got := must(r, r.client.GetPolicy, &profusionv1.GetPgoPolicyRequest{Service: r.service, Name: "own"})
	if got.Etag != set.Etag || got.Policy.KeepLocations != 5 {
		panic(fmt.Sprintf("policy: %v", got))
	}
	for _, each := range must(r, r.client.ListPolicies, &profusionv1.ListPgoPoliciesRequest{Service: r.service}).Policies {
		r.report.Policies = append(r.report.Policies, each.Name)
	}
	interval := &profusionv1.Interval{StartTime: timestamppb.New(timestamppb.Now().AsTime().AddDate(-50, 0, 0))}
	question := &profusionv1.PgoQuestion{Service: r.service, Policy: "own", Interval: interval}
	made := must(r, r.client.PgoProfile, &profusionv1.GetPgoProfileRequest{Question: question})
	r.report.PgoTotal = total(made.ProfileBytes)
	report := must(r, r.client.PgoReport, &profusionv1.GetPgoReportRequest{Question: question}).Report
	r.report.PgoIsReported = proto.Equal(report, made.Report) && report.EdgeCount > 0 && report.CpuTime.AsDuration() > 0
	must(r, r.client.Publish, &profusionv1.PublishReleaseRequest{Question: question, Name: "r1", Channels: []string{"stable"}})
	must(r, r.client.MoveChannel, &profusionv1.MoveChannelRequest{Service: r.service, Channel: "canary", Release: "r1"})
	release := must(r, r.client.GetRelease, &profusionv1.GetReleaseRequest{Service: r.service, Name: "canary", WithBytes: true})
	r.report.ReleaseIsPgo = bytes.Equal(release.ProfileBytes, made.ProfileBytes) && bytes.Equal(release.Release.Digest, made.Digest)
	for _, each := range must(r, r.client.ListReleases, &profusionv1.ListReleasesRequest{Service: r.service}).Releases {
		r.report.Releases = append(r.report.Releases, each.Name)
	}
	for _, each := range must(r, r.client.ListChannels, &profusionv1.ListChannelsRequest{Service: r.service}).Channels {
		r.report.Channels = append(r.report.Channels, each.Name+":"+each.Release)
	}
	must(r, r.client.DeletePolicy, &profusionv1.DeletePgoPolicyRequest{Service: r.service, Name: "own", Etag: set.Etag})
}

// total is the sum of the last column, as google/pprof reads it.
func total(file []byte) int64 {
	parsed, err := profile.Parse(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	sum := int64(0)
	for _, sample := range parsed.Sample {
		sum += sample.Value[len(sample.Value)-1]
	}
	return sum
}

func (r *run) ask() {
	selector := r.selector()
	parsed := must(r, r.client.ParseSelector, &profusionv1.ParseSelectorRequest{Selector: " cpu { version =~ '1|2' } "})
	r.report.Canonical = parsed.CanonicalSelector
	services := must(r, r.client.ListServices, &profusionv1.ListServicesRequest{Prefix: r.service})
	r.report.Services = names(services.Services)
	r.report.Types = names(must(r, r.client.ListTypes, &profusionv1.ListProfileTypesRequest{Selector: selector}).ProfileTypes)
	r.report.LabelNames = names(must(r, r.client.ListLabelNames, &profusionv1.ListLabelNamesRequest{Selector: selector}).LabelNames)
	values := must(r, r.client.ListValues, &profusionv1.ListLabelValuesRequest{Selector: selector, LabelName: "version"})
	r.report.LabelValues = names(values.LabelValues)
	r.report.Series = len(must(r, r.client.ListSeries, &profusionv1.ListSeriesRequest{Selector: selector}).Series)
}

func names(counts []*profusionv1.NameCount) []string {
	found := []string{}
	for _, count := range counts {
		found = append(found, fmt.Sprintf("%s:%d", count.Name, count.ProfileCount))
	}
	return found
}

func (r *run) fail() {
	_, err := r.client.Get(r.ctx, &profusionv1.GetProfileRequest{Id: "0000000000zzzzzzzzzzzzzzzz"})
	r.report.UnknownCode = r.client.CodeOf(err)
	_, err = r.client.Create(r.ctx, &profusionv1.CreateProfileRequest{})
	r.report.EmptyCode = r.client.CodeOf(err)
	_, err = r.client.Merge(r.ctx, &profusionv1.MergeProfilesRequest{Selection: &profusionv1.Selection{Selector: r.selector()}})
	r.report.UnboundedCode = r.client.CodeOf(err)
}

func (r *run) delete() {
	list := &profusionv1.ListProfilesRequest{Selector: r.selector()}
	first := must(r, r.client.List, list).Profiles[0]
	must(r, r.client.Delete, &profusionv1.DeleteProfileRequest{Id: first.Id})
	request := &profusionv1.DeleteProfilesRequest{Selector: r.selector(), ValidateOnly: true}
	preview := must(r, r.client.DeleteMany, request)
	r.report.PreviewCount = preview.ProfileCount
	_, err := r.client.DeleteMany(r.ctx, &profusionv1.DeleteProfilesRequest{Selector: "{}", Etag: preview.Etag})
	r.report.ForeignEtagCode = r.client.CodeOf(err)
	request.ValidateOnly, request.Etag = false, preview.Etag
	r.report.Deleted = must(r, r.client.DeleteMany, request).ProfileCount
	r.report.Left = len(must(r, r.client.List, list).Profiles)
}

// Drain reads a stream to its end by a function that answers io.EOF there.
func Drain[Response any](receive func() (*Response, error)) ([]*Response, error) {
	var all []*Response
	for {
		response, err := receive()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, response)
	}
}
