// Package corpus makes many profiles of few: the bootstrap of the benchmarks.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/pprof/profile"
)

// A Build is one version of one program, with the real profiles of one process of it.
type Build struct {
	Service, Version string
	Profiles         []*profile.Profile
}

// ReadBuilds reads FOLDER/SERVICE/VERSION/cpu/*.pb.gz, in the order of their names.
func ReadBuilds(folder string) ([]Build, error) {
	folders, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil {
		return nil, err
	}
	slices.Sort(folders)
	var builds []Build
	for _, each := range folders {
		build := Build{Service: filepath.Base(filepath.Dir(each)), Version: filepath.Base(each)}
		names, err := filepath.Glob(filepath.Join(each, "cpu", "*.pb.gz"))
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			parsed, err := profile.ParseData(content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			build.Profiles = append(build.Profiles, parsed)
		}
		if len(build.Profiles) > 0 {
			builds = append(builds, build)
		}
	}
	if len(builds) == 0 {
		return nil, fmt.Errorf("no profiles below %s: expected SERVICE/VERSION/cpu/*.pb.gz", folder)
	}
	return builds, nil
}
