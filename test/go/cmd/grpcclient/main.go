// Command grpcclient calls every method of the contract with grpc-go, asks health and both versions of reflection with
// grpc-go's own messages, and prints what it saw as JSON.
//
//	grpcclient [-tls-ca FILE] HOST:PORT SERVICE FILE FILE FILE
//
// With -tls-ca it speaks TLS and trusts the authorities in that PEM file.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	profusionv1 "profusion/test/go/gen/profusion/v1"
	"profusion/test/go/internal/exercise"
)

type report struct {
	*exercise.Report
	Health               string   `json:"health"`
	Watched              string   `json:"watched"`
	ReflectedServices    []string `json:"reflectedServices"`
	ReflectedServicesOld []string `json:"reflectedServicesOld"`
}

func main() {
	authorities := flag.String("tls-ca", "", "speak TLS and trust the authorities in this PEM file")
	flag.Parse()
	if err := run(*authorities, flag.Arg(0), flag.Arg(1), flag.Args()[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(authorities string, address string, service string, files []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	transport := insecure.NewCredentials()
	if authorities != "" {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(authorities, ""); err != nil {
			return err
		}
	}
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(transport), grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip")))
	if err != nil {
		return err
	}
	defer connection.Close()
	exercised, err := exercise.Run(ctx, clientOf(connection), service, files)
	if err != nil {
		return err
	}
	all := report{Report: exercised}
	if err := askHealth(ctx, connection, &all); err != nil {
		return err
	}
	if err := reflect(ctx, connection, &all); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func unary[Request, Response any](
	call func(context.Context, *Request, ...grpc.CallOption) (*Response, error),
) exercise.Unary[Request, Response] {
	return func(ctx context.Context, request *Request) (*Response, error) { return call(ctx, request) }
}

func serverStream[Request, Response any](
	call func(context.Context, *Request, ...grpc.CallOption) (grpc.ServerStreamingClient[Response], error),
) exercise.ServerStream[Request, Response] {
	return func(ctx context.Context, request *Request) ([]*Response, error) {
		stream, err := call(ctx, request)
		if err != nil {
			return nil, err
		}
		return exercise.Drain(stream.Recv)
	}
}

func clientOf(connection *grpc.ClientConn) exercise.Client {
	profiles := profusionv1.NewProfileServiceClient(connection)
	queries := profusionv1.NewQueryServiceClient(connection)
	pgo := profusionv1.NewPgoServiceClient(connection)
	return exercise.Client{
		Create:      unary(profiles.CreateProfile),
		BatchCreate: unary(profiles.BatchCreateProfiles),
		Upload: func(ctx context.Context, parts []*profusionv1.UploadProfileRequest) (*profusionv1.UploadProfileResponse, error) {
			stream, err := profiles.UploadProfile(ctx)
			if err != nil {
				return nil, err
			}
			for _, part := range parts {
				if err := stream.Send(part); err != nil {
					break // The reason is the server's: CloseAndRecv has it.
				}
			}
			return stream.CloseAndRecv()
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
		CodeOf:         codeOf,
	}
}

// codeOf spells a code as Connect does: NotFound is not_found.
func codeOf(err error) string {
	var name strings.Builder
	for at, letter := range status.Code(err).String() {
		if at > 0 && letter >= 'A' && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return strings.ToLower(name.String())
}

func askHealth(ctx context.Context, connection *grpc.ClientConn, all *report) error {
	health := grpc_health_v1.NewHealthClient(connection)
	request := &grpc_health_v1.HealthCheckRequest{Service: "profusion.v1.ProfileService"}
	checked, err := health.Check(ctx, request)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	all.Health = checked.Status.String()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	stream, err := health.Watch(watching, request)
	if err != nil {
		return fmt.Errorf("health watch: %w", err)
	}
	watched, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("health watch: %w", err)
	}
	all.Watched = watched.Status.String()
	return nil
}

func reflect(ctx context.Context, connection *grpc.ClientConn, all *report) error {
	stream, err := reflectionv1.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return fmt.Errorf("reflection: %w", err)
	}
	question := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(question); err != nil {
		return fmt.Errorf("reflection: %w", err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("reflection: %w", err)
	}
	for _, found := range answer.GetListServicesResponse().GetService() {
		all.ReflectedServices = append(all.ReflectedServices, found.Name)
	}
	return reflectOld(ctx, connection, all)
}

func reflectOld(ctx context.Context, connection *grpc.ClientConn, all *report) error {
	stream, err := reflectionv1alpha.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return fmt.Errorf("reflection v1alpha: %w", err)
	}
	question := &reflectionv1alpha.ServerReflectionRequest{
		MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{},
	}
	if err := stream.Send(question); err != nil {
		return fmt.Errorf("reflection v1alpha: %w", err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("reflection v1alpha: %w", err)
	}
	for _, found := range answer.GetListServicesResponse().GetService() {
		all.ReflectedServicesOld = append(all.ReflectedServicesOld, found.Name)
	}
	return nil
}
