package senders

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"github.com/google/pprof/profile"

	profusion "profusion/test/go/internal/pgolibstorage"
)

// pgolibStorage is what pgolib asks of a place for profiles.
type pgolibStorage interface {
	SaveProfile(ctx context.Context, createdAt time.Time, profile []byte) error
	GetProfile(ctx context.Context, createdAt time.Time) ([]byte, error)
	GetProfiles(ctx context.Context, startedAt, endedAt time.Time) ([][]byte, error)
	DeleteProfile(ctx context.Context, createdAt time.Time) error
	DeleteProfiles(ctx context.Context, startedAt, endedAt time.Time) error
}

var _ pgolibStorage = (*profusion.Storage)(nil)

// Pgolib does with the storage of docs/pgolib.md what pgolib's Profiler does with one, and prints the time of each profile that was saved.
func Pgolib(arguments []string) error {
	flags := flag.NewFlagSet("pgolib", flag.ExitOnError)
	storage := &profusion.Storage{}
	flags.StringVar(&storage.Server, "server", "", "the server")
	flags.StringVar(&storage.Service, "service", "", "the service")
	flags.StringVar(&storage.Key, "key", "", "a key")
	times := flags.Int("times", 0, "run the profiler until so many profiles are saved")
	file := flags.String("file", "", "save this at -from")
	from := flags.Int64("from", 0, "start of the range, in milliseconds")
	to := flags.Int64("to", 0, "its end, which is in it")
	output := flags.String("output", "", "fetch the range, merged, into this file; without -to the one profile of -from")
	remove := flags.Bool("delete", false, "delete the range; without -to the one profile of -from")
	flags.Parse(arguments)
	ctx := context.Background()
	first, last := time.UnixMilli(*from), time.UnixMilli(*to)
	switch {
	case *times > 0:
		return runProfiler(ctx, storage, *times)
	case *file != "":
		content, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		return storage.SaveProfile(ctx, first, content)
	case *remove && *to == 0:
		return storage.DeleteProfile(ctx, first)
	case *remove:
		return storage.DeleteProfiles(ctx, first, last)
	case *to == 0:
		content, err := storage.GetProfile(ctx, first)
		if err != nil {
			return err
		}
		return os.WriteFile(*output, content, 0o644)
	}
	merged, err := profilerGet(ctx, storage, first, last)
	if err != nil {
		return err
	}
	return os.WriteFile(*output, merged, 0o644)
}

// At each tick a goroutine of its own takes a profile and saves it under the time at which it began.
func runProfiler(ctx context.Context, storage pgolibStorage, times int) error {
	const duration, interval = 300 * time.Millisecond, 400 * time.Millisecond
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			work(22)
		}
	}()
	saved := make(chan error, 32)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for count := 0; count < times; {
		select {
		case <-ticker.C:
			go func() {
				now := time.Now()
				content := new(bytes.Buffer)
				if err := pprof.StartCPUProfile(content); err != nil {
					return // another is being taken: the next tick comes
				}
				time.Sleep(duration)
				pprof.StopCPUProfile()
				err := storage.SaveProfile(ctx, now, content.Bytes())
				if err == nil {
					fmt.Println(now.UnixMilli())
				}
				saved <- err
			}()
		case err := <-saved:
			if err != nil {
				return err
			}
			count++
		}
	}
	return nil
}

// All of the range, parsed and merged here.
func profilerGet(ctx context.Context, storage pgolibStorage, first, last time.Time) ([]byte, error) {
	contents, err := storage.GetProfiles(ctx, first, last)
	if err != nil {
		return nil, err
	}
	var profiles []*profile.Profile
	for _, content := range contents {
		parsed, err := profile.ParseData(content)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, parsed)
	}
	merged, err := profile.Merge(profiles)
	if err != nil {
		return nil, err
	}
	written := new(bytes.Buffer)
	err = merged.Write(written)
	return written.Bytes(), err
}
