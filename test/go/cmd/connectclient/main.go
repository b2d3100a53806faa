// Command connectclient calls every method of the contract with connect-go, over one of its protocols, and prints what it saw as JSON.
//
//	connectclient URL PROTOCOL SERVICE FILE FILE FILE
//
// PROTOCOL is connect, connect-json, connect-get (reads go by GET), grpc or grpcweb.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"

	profusionv1 "profusion/test/go/gen/profusion/v1"
	"profusion/test/go/gen/profusion/v1/profusionv1connect"
	"profusion/test/go/internal/exercise"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(url string, protocol string, service string, files []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	options := map[string][]connect.ClientOption{
		"connect":      {},
		"connect-json": {connect.WithProtoJSON()},
		"connect-get":  {connect.WithHTTPGet()},
		"grpc":         {connect.WithGRPC()},
		"grpcweb":      {connect.WithGRPCWeb()},
	}[protocol]
	if options == nil {
		return fmt.Errorf("there is no protocol %q", protocol)
	}
	transport := &http.Transport{}
	if protocol == "grpc" {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	options = append(options, connect.WithSendGzip())
	report, err := exercise.Run(ctx, clientOf(&http.Client{Transport: transport}, url, options), service, files)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func unary[Request, Response any](
	call func(context.Context, *connect.Request[Request]) (*connect.Response[Response], error),
) exercise.Unary[Request, Response] {
	return func(ctx context.Context, request *Request) (*Response, error) {
		response, err := call(ctx, connect.NewRequest(request))
		if err != nil {
			return nil, err
		}
		return response.Msg, nil
	}
}

func serverStream[Request, Response any](
	call func(context.Context, *connect.Request[Request]) (*connect.ServerStreamForClient[Response], error),
) exercise.ServerStream[Request, Response] {
	return func(ctx context.Context, request *Request) ([]*Response, error) {
		stream, err := call(ctx, connect.NewRequest(request))
		if err != nil {
			return nil, err
		}
		defer stream.Close()
		var all []*Response
		for stream.Receive() {
			all = append(all, stream.Msg())
		}
		return all, stream.Err()
	}
}

func clientOf(client *http.Client, url string, options []connect.ClientOption) exercise.Client {
	profiles := profusionv1connect.NewProfileServiceClient(client, url, options...)
	queries := profusionv1connect.NewQueryServiceClient(client, url, options...)
	pgo := profusionv1connect.NewPgoServiceClient(client, url, options...)
	return exercise.Client{
		Create:      unary(profiles.CreateProfile),
		BatchCreate: unary(profiles.BatchCreateProfiles),
		Upload: func(ctx context.Context, parts []*profusionv1.UploadProfileRequest) (*profusionv1.UploadProfileResponse, error) {
			stream := profiles.UploadProfile(ctx)
			for _, part := range parts {
				if err := stream.Send(part); err != nil {
					break // The reason is the server's: CloseAndReceive has it.
				}
			}
			response, err := stream.CloseAndReceive()
			if err != nil {
				return nil, err
			}
			return response.Msg, nil
		},
		Get:            unary(profiles.GetProfile),
		Download:       serverStream(profiles.DownloadProfile),
		List:           unary(profiles.ListProfiles),
		Delete:         unary(profiles.DeleteProfile),
		DeleteMany:     unary(profiles.DeleteProfiles),
		Merge:          unary(queries.MergeProfiles),
		StreamMerged:   serverStream(queries.StreamMergedProfile),
		Top:            unary(queries.ListTopFunctions),
		ParseSelector:  unary(queries.ParseSelector),
		ListServices:   unary(queries.ListServices),
		ListTypes:      unary(queries.ListProfileTypes),
		ListLabelNames: unary(queries.ListLabelNames),
		ListValues:     unary(queries.ListLabelValues),
		ListSeries:     unary(queries.ListSeries),
		PgoProfile:     unary(pgo.GetPgoProfile),
		PgoReport:      unary(pgo.GetPgoReport),
		UpdatePolicy:   unary(pgo.UpdatePgoPolicy),
		GetPolicy:      unary(pgo.GetPgoPolicy),
		ListPolicies:   unary(pgo.ListPgoPolicies),
		DeletePolicy:   unary(pgo.DeletePgoPolicy),
		Publish:        unary(pgo.PublishRelease),
		GetRelease:     unary(pgo.GetRelease),
		ListReleases:   unary(pgo.ListReleases),
		MoveChannel:    unary(pgo.MoveChannel),
		ListChannels:   unary(pgo.ListChannels),
		CodeOf:         func(err error) string { return connect.CodeOf(err).String() },
	}
}
