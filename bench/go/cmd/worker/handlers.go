// What the jobs do: each leans on other parts of the standard library, so that their stacks differ.

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/lzw"
	"container/heap"
	"container/list"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/ascii85"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"index/suffixarray"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// handlers are the kinds of jobs, each with its queue.
func handlers(folder string) []func(call int) {
	signing, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	cache := &cache{entries: map[string]*list.Element{}, order: list.New()}
	return []func(int){
		encodeEvents,
		func(call int) { archive(call) },
		func(call int) { writeFiles(folder, call) },
		encrypt,
		func(call int) { sign(signing, edKey, call) },
		func(call int) { cache.serve(call) },
		schedule,
		indexText,
		numbers,
		aggregate,
	}
}

type event struct {
	Name   string
	At     time.Time
	Fields map[string]int64
	Path   []string
	Nested *event
}

func makeEvent(call, depth int) *event {
	made := &event{Name: fmt.Sprintf("event-%d", call%211), At: time.Unix(int64(call), 0), Fields: map[string]int64{"size": int64(call), "level": 3}, Path: []string{"a", "b", "c"}}
	if depth > 0 {
		made.Nested = makeEvent(call+1, depth-1)
	}
	return made
}

func encodeEvents(call int) {
	var wire bytes.Buffer
	encoder := gob.NewEncoder(&wire)
	for nth := range 20 {
		encoder.Encode(makeEvent(call+nth, nth%4))
	}
	decoder := gob.NewDecoder(&wire)
	for range 20 {
		var got event
		decoder.Decode(&got)
	}
}

func text(call, size int) []byte {
	random := mrand.New(mrand.NewPCG(uint64(call%17), 5))
	out := make([]byte, 0, size+16)
	for len(out) < size {
		out = append(out, []string{"profile ", "stack ", "sample ", "of ", "the ", "merge ", "window\n"}[random.IntN(7)]...)
	}
	return out
}

func archive(call int) {
	var out bytes.Buffer
	tarball := tar.NewWriter(&out)
	body := text(call, 6000)
	tarball.WriteHeader(&tar.Header{Name: "a.txt", Size: int64(len(body)), Mode: 0o600, ModTime: time.Unix(1, 0)})
	tarball.Write(body)
	tarball.Close()
	var zipped bytes.Buffer
	zipper := zip.NewWriter(&zipped)
	part, _ := zipper.Create("a.tar")
	part.Write(out.Bytes())
	zipper.Close()
	opened, _ := zip.NewReader(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	inner, _ := opened.File[0].Open()
	io.Copy(io.Discard, inner)
	packed := lzw.NewWriter(io.Discard, lzw.LSB, 8)
	packed.Write(body)
	packed.Close()
	io.Copy(io.Discard, bzip2.NewReader(bytes.NewReader([]byte("BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00"))))
}

func writeFiles(folder string, call int) {
	name := filepath.Join(folder, fmt.Sprint(call%64))
	body := text(call, 20_000)
	if err := os.WriteFile(name, body, 0o600); err != nil {
		return
	}
	again, _ := os.ReadFile(name)
	if !bytes.Equal(again, body) {
		again = slices.Clone(body)
	}
	crc := crc32.Checksum(again, crc32.MakeTable(crc32.Koopman))
	os.Rename(name, fmt.Sprintf("%s-%08x", name, crc))
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries[:min(4, len(entries))] {
		os.Remove(filepath.Join(folder, entry.Name()))
	}
}

func encrypt(call int) {
	secret := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(call)))
	block, _ := aes.NewCipher(secret[:])
	sealed, _ := cipher.NewGCM(block)
	out := sealed.Seal(nil, make([]byte, sealed.NonceSize()), text(call, 9000), nil)
	encoded := base64.RawURLEncoding.EncodeToString(out)
	sum := md5.Sum([]byte(encoded))
	armour := ascii85.NewEncoder(io.Discard)
	io.WriteString(armour, hex.Dump(out[:1500]))
	armour.Close()
	cipher.NewCTR(block, sum[:]).XORKeyStream(out, out)
}

func sign(signing *rsa.PrivateKey, edKey ed25519.PrivateKey, call int) {
	digest := sha256.Sum256(text(call, 400))
	signature, _ := rsa.SignPSS(rand.Reader, signing, crypto.SHA256, digest[:], nil)
	_ = signature
	ed25519.Verify(edKey.Public().(ed25519.PublicKey), digest[:], ed25519.Sign(edKey, digest[:]))
}

type cache struct {
	mutex   sync.Mutex
	entries map[string]*list.Element
	order   *list.List
}

func (c *cache) serve(call int) {
	random := mrand.New(mrand.NewPCG(uint64(call), 9))
	for range 400 {
		c.load(fmt.Sprintf("key/%05d", int(random.ExpFloat64()*800)))
	}
}

func (c *cache) load(key string) uint64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if found, ok := c.entries[key]; ok {
		c.order.MoveToFront(found)
		return uint64(len(found.Value.(string)))
	}
	c.entries[key] = c.order.PushFront(key)
	if c.order.Len() > 1000 {
		last := c.order.Back()
		delete(c.entries, c.order.Remove(last).(string))
	}
	sum := fnv.New64a()
	io.WriteString(sum, key)
	return sum.Sum64()
}

type deadlines []time.Time

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(a, b int) bool { return d[a].Before(d[b]) }
func (d deadlines) Swap(a, b int)      { d[a], d[b] = d[b], d[a] }
func (d *deadlines) Push(value any)    { *d = append(*d, value.(time.Time)) }
func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

func schedule(call int) {
	random := mrand.New(mrand.NewPCG(uint64(call), 11))
	due := &deadlines{}
	for range 300 {
		heap.Push(due, time.Unix(random.Int64N(1_000_000), 0))
	}
	for due.Len() > 0 {
		at := heap.Pop(due).(time.Time)
		_, _ = time.Parse(time.RFC3339, at.UTC().Format(time.RFC3339))
	}
	results := make(chan int)
	for nth := range 8 {
		go func() { results <- len(strings.Repeat("x", nth*50)) }()
	}
	for range 8 {
		<-results
	}
}

func indexText(call int) {
	body := text(call, 5000)
	index := suffixarray.New(body)
	found := index.Lookup([]byte("stack of"), 50)
	slices.Sort(found)
	var packed bytes.Buffer
	writer, _ := flate.NewWriter(&packed, 9)
	index.Write(writer)
	writer.Close()
}

func numbers(call int) {
	value := big.NewInt(int64(call%1000 + 3))
	modulus, _ := new(big.Int).SetString("170141183460469231731687303715884105727", 10)
	for range 20 {
		value.Exp(value, big.NewInt(65537), modulus)
		_ = value.Text(36)
		new(big.Int).ModInverse(value, modulus)
	}
	_ = value.ProbablyPrime(4)
	ratio := new(big.Rat).SetFrac(value, modulus)
	_ = ratio.FloatString(50)
}

func aggregate(call int) {
	var seen sync.Map
	for nth := range 500 {
		address := netip.AddrFrom4([4]byte{10, byte(call), byte(nth % 7), byte(nth)})
		count, _ := seen.LoadOrStore(address.String(), new(int))
		*count.(*int)++
	}
	var names []string
	seen.Range(func(key, _ any) bool {
		parsed, _ := netip.ParseAddr(key.(string))
		names = append(names, parsed.Next().StringExpanded())
		return true
	})
	slices.SortStableFunc(names, strings.Compare)
}
