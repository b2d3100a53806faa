// How one profile is drawn from real ones.

package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// A Draw says how a profile is put together: rows of so many real ones, and which share of their mean number of rows.
type Draw struct {
	MinSources, MaxSources int
	MinPercent, MaxPercent int
}

// Resample draws rows of real profiles of one build, without replacement, and adds those with the same stack and labels, as the runtime would.
func Resample(build Build, draw Draw, random *rand.Rand) *profile.Profile {
	var rows []*profile.Sample
	sources := draw.MinSources + random.IntN(draw.MaxSources-draw.MinSources+1)
	first := build.Profiles[random.IntN(len(build.Profiles))]
	rows = append(rows, first.Sample...)
	for range sources - 1 {
		rows = append(rows, build.Profiles[random.IntN(len(build.Profiles))].Sample...)
	}
	percent := draw.MinPercent + random.IntN(draw.MaxPercent-draw.MinPercent+1)
	wanted := min(len(rows), max(1, len(rows)*percent/100/sources))
	random.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
	return &profile.Profile{
		SampleType: first.SampleType, PeriodType: first.PeriodType, Period: first.Period, DurationNanos: first.DurationNanos,
		Mapping: first.Mapping, Sample: addEqual(rows[:wanted]),
	}
}

// addEqual keeps the order of first appearance.
func addEqual(rows []*profile.Sample) []*profile.Sample {
	known := map[string]*profile.Sample{}
	var added []*profile.Sample
	for _, row := range rows {
		key := rowKey(row)
		if same, found := known[key]; found {
			for at, value := range row.Value {
				same.Value[at] += value
			}
			continue
		}
		copied := &profile.Sample{Location: row.Location, Label: row.Label, Value: slices.Clone(row.Value)}
		known[key] = copied
		added = append(added, copied)
	}
	return added
}

func rowKey(row *profile.Sample) string {
	var key strings.Builder
	for _, location := range row.Location {
		fmt.Fprintf(&key, "%x ", location.Address)
	}
	fmt.Fprint(&key, row.Label)
	return key.String()
}
