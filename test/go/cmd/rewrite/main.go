// Rewrite reads profiles and writes them again with google/pprof's writer: each one, and each merged with the next two.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/google/pprof/profile"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: rewrite FOLDER PROFILE...")
	}
	var all []*profile.Profile
	for _, path := range os.Args[2:] {
		file, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		each, err := profile.ParseData(file)
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		all = append(all, each)
	}
	for at, each := range all {
		write(each, fmt.Sprintf("google-written-%d.pb", at+1))
		if at+3 > len(all) {
			continue
		}
		// Profiles of other types follow: those cannot be merged.
		if merged, err := profile.Merge(all[at : at+3]); err == nil {
			write(merged, fmt.Sprintf("google-merged-%d.pb", at+1))
		}
	}
}

func write(each *profile.Profile, name string) {
	var out bytes.Buffer
	if err := each.WriteUncompressed(&out); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Args[1], name), out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
