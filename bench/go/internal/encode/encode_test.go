// The claim of the package, held against the runtime itself.

package encode

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"sort"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"profusion/bench/go/internal/process"
)

// What the runtime wrote must come out again byte for byte, or the bootstrapped corpus is not like what agents send.
func TestCPUWritesWhatTheRuntimeWrote(t *testing.T) {
	var recorded bytes.Buffer
	if err := pprof.StartCPUProfile(&recorded); err != nil {
		t.Fatal(err)
	}
	for round, start := 0, process.CPU(); process.CPU()-start < time.Second; round++ {
		pprof.Do(context.Background(), pprof.Labels("round", fmt.Sprint(round%3), "kind", "sort"), func(context.Context) { work(round) })
	}
	pprof.StopCPUProfile()
	parsed, err := profile.ParseData(recorded.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Sample) < 5 {
		t.Fatalf("only %d samples: nothing is proven", len(parsed.Sample))
	}
	written, err := CPU(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, recorded.Bytes()) {
		t.Errorf("wrote %d bytes, the runtime %d: they differ", len(written), recorded.Len())
	}
}

func work(round int) {
	names := make([]string, 3000)
	for at := range names {
		names[at] = fmt.Sprintf("%x", at*7919*round)
	}
	sort.Strings(names)
}
