// A corpus as it lies on the disk.

package corpus

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// An Entry describes one body of a stored corpus. bench/corpus.ts reads the same index.
type Entry struct {
	Service  string `json:"service"`
	Version  string `json:"version"`
	Instance string `json:"instance"`
	TimeNs   string `json:"timeNs"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
}

// Stored is a corpus in memory: all bodies in one slice.
type Stored struct {
	Entries []Entry
	bodies  []byte
}

// ReadStored reads what cmd/bootstrap wrote.
func ReadStored(folder string) (Stored, error) {
	var stored Stored
	index, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		return stored, err
	}
	if err := json.Unmarshal(index, &stored.Entries); err != nil {
		return stored, err
	}
	stored.bodies, err = os.ReadFile(filepath.Join(folder, "corpus.bin"))
	return stored, err
}

// Body is the gzipped profile of an entry.
func (s Stored) Body(entry Entry) []byte {
	return s.bodies[entry.Offset : entry.Offset+entry.Length]
}
