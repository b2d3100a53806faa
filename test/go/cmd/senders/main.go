// Senders makes the requests of other systems' clients, in Go's net/http as those clients use it, and says what came back.
package main

import (
	"fmt"
	"os"

	"profusion/test/go/internal/senders"
)

var clients = map[string]func(arguments []string) error{
	"pgofleet":    senders.PgoFleet,
	"pcapture":    senders.Pcapture,
	"autopgo":     senders.Autopgo,
	"pgolib":      senders.Pgolib,
	"profefe":     senders.Profefe,
	"kubeprofefe": senders.KubeProfefe,
}

func main() {
	if len(os.Args) < 2 || clients[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: senders pgofleet|pcapture|autopgo|pgolib|profefe|kubeprofefe ...")
		os.Exit(2)
	}
	if err := clients[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
