package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
)

// routes are the handlers of the pretended service: each wears out another part of the runtime.
var routes = []struct {
	path   string
	handle func(call int)
}{
	{"/orders", encodeOrders},
	{"/search", search},
	{"/digest", digest},
	{"/sorted", sortWords},
	{"/cached", readCache},
	{"/tree", func(call int) { walk(buildTree(6 + call%5)) }},
}

type order struct {
	ID    int
	Item  string
	Tags  []string
	Price float64
}

func encodeOrders(call int) {
	var orders []order
	for id := range 40 {
		orders = append(orders, order{id, fmt.Sprintf("item-%d", call), []string{"new", "paid"}, float64(id) / 3})
	}
	text, err := json.Marshal(orders)
	if err != nil {
		panic(err)
	}
	var decoded []order
	if err := json.Unmarshal(text, &decoded); err != nil {
		panic(err)
	}
	keep("orders", text)
}

var pattern = regexp.MustCompile(`(item|order)-(\d+)[a-z]*`)

func search(call int) {
	text := strings.Repeat(fmt.Sprintf("an item-%dx and no order; ", call), 60)
	keep("search", []byte(strings.Join(pattern.FindAllString(text, -1), ",")))
}

func digest(call int) {
	sum := sha256.Sum256(bytes.Repeat([]byte{byte(call)}, 60_000))
	var out bytes.Buffer
	writer, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		panic(err)
	}
	for range 100 {
		_, _ = writer.Write(sum[:])
	}
	_ = writer.Close()
	keep("digest", out.Bytes())
}

func sortWords(call int) {
	words := make([]string, 800)
	for nth := range words {
		words[nth] = fmt.Sprintf("%x", (nth*7919+call)%104729)
	}
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
}

var (
	cacheLock sync.Mutex
	cache     = map[string][][]byte{}
)

// keep holds on to the latest results, so that the heap has something in use and the lock is contended.
func keep(name string, value []byte) {
	cacheLock.Lock()
	defer cacheLock.Unlock()
	cache[name] = append(cache[name], bytes.Clone(value))
	if len(cache[name]) > 200 {
		cache[name] = cache[name][100:]
	}
}

func readCache(int) {
	cacheLock.Lock()
	defer cacheLock.Unlock()
	total := 0
	for range 20 {
		for _, values := range cache {
			for _, value := range values {
				total += bytes.Count(value, []byte("item"))
			}
		}
	}
}

type node struct{ left, right *node }

func buildTree(depth int) *node {
	if depth == 0 {
		return nil
	}
	return &node{buildTree(depth - 1), buildTree(depth - 1)}
}

func walk(tree *node) int {
	if tree == nil {
		return 0
	}
	return 1 + walk(tree.left) + walk(tree.right)
}
