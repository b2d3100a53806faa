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
)

// What the runtime wrote must come out again byte for byte, or the bootstrapped corpus is not like what agents send.
func TestCPUWritesWhatTheRuntimeWrote(t *testing.T) {
	var recorded bytes.Buffer
	if err := pprof.StartCPUProfile(&recorded); err != nil {
		t.Fatal(err)
	}
	for round, end := 0, time.Now().Add(time.Second); time.Now().Before(end); round++ {
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
