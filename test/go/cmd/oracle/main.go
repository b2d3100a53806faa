// Oracle answers what google/pprof does with profiles: accept or reject, the normal form, the merge.
// `oracle serve` speaks to a test over its standard input and output; the other verbs are for people.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/google/pprof/profile"

	"profusion/test/go/internal/normal"
)

const usage = `usage:
  oracle serve                     answer framed requests on standard input (see serve.go)
  oracle check FILE...             accepted, or why not
  oracle normal FILE               the normal form
  oracle merge -o OUT FILE...      the merge, gzipped
`

func main() {
	if len(os.Args) < 2 {
		fail(usage)
	}
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "serve":
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
	case "check":
		for _, name := range arguments {
			verdict := "accepted"
			if _, err := parseFile(name); err != nil {
				verdict = err.Error()
			}
			fmt.Printf("%s: %s\n", name, verdict)
		}
	case "normal":
		for _, p := range parseFiles(arguments) {
			form := normal.Of(p)
			fmt.Print(form.Text, form.Attributes)
		}
	case "merge":
		flags := flag.NewFlagSet("merge", flag.ExitOnError)
		out := flags.String("o", "merged.pb.gz", "file to write")
		_ = flags.Parse(arguments)
		writeMerge(*out, flags.Args())
	default:
		fail(usage)
	}
}

func writeMerge(out string, names []string) {
	merged, err := profile.Merge(parseFiles(names))
	if err != nil {
		fail(err)
	}
	file, err := os.Create(out)
	if err != nil {
		fail(err)
	}
	if err := merged.Write(file); err != nil {
		fail(err)
	}
	if err := file.Close(); err != nil {
		fail(err)
	}
}

func parseFiles(names []string) []*profile.Profile {
	var profiles []*profile.Profile
	for _, name := range names {
		p, err := parseFile(name)
		if err != nil {
			fail(fmt.Sprintf("%s: %v", name, err))
		}
		profiles = append(profiles, p)
	}
	return profiles
}

func parseFile(name string) (*profile.Profile, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return profile.ParseData(data)
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
