package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/google/pprof/profile"

	"profusion/test/go/internal/normal"
)

// A request is a frame: uint32 little-endian length, then one byte of verb, then items, each a uint32 length and bytes.
// The answer is a frame of JSON: an array with one answer per item, or for a merge one answer.
const (
	verbCheck  = 'c' // ParseData and CheckValid: gzip, raw or legacy
	verbProto  = 'p' // ParseUncompressed and CheckValid: the protobuf alone
	verbNormal = 'n' // the normal form of each profile as it stands
	verbFold   = 'f' // the digest of each profile merged alone
	verbMerge  = 'm' // the merge of all items: normal form and bytes
	verbPrune  = 'x' // drop, keep (may be empty) and a profile: the normal form of what Prune leaves of it
)

type answer struct {
	Error      string `json:"error,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Text       string `json:"text,omitempty"`
	Attributes string `json:"attributes,omitempty"`
	// Bytes is the uncompressed protobuf.
	Bytes []byte `json:"bytes,omitempty"`
}

func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	for {
		var size uint32
		if err := binary.Read(reader, binary.LittleEndian, &size); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(reader, frame); err != nil {
			return err
		}
		reply, err := json.Marshal(answers(frame[0], splitItems(frame[1:])))
		if err != nil {
			return err
		}
		if _, err := out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(reply))), reply...)); err != nil {
			return err
		}
	}
}

func splitItems(data []byte) [][]byte {
	var items [][]byte
	for len(data) > 0 {
		size := binary.LittleEndian.Uint32(data)
		items = append(items, data[4:4+size])
		data = data[4+size:]
	}
	return items
}

func answers(verb byte, items [][]byte) []answer {
	if verb == verbMerge {
		return []answer{guarded(func() (answer, error) { return mergeAll(items) })}
	}
	if verb == verbPrune {
		return []answer{guarded(func() (answer, error) { return pruneOne(string(items[0]), string(items[1]), items[2]) })}
	}
	replies := make([]answer, 0, len(items))
	for _, item := range items {
		replies = append(replies, guarded(func() (answer, error) { return answerOne(verb, item) }))
	}
	return replies
}

// guarded turns a panic of the parser into a rejection: what it cannot read it does not accept.
func guarded(work func() (answer, error)) (reply answer) {
	defer func() {
		if reason := recover(); reason != nil {
			reply = answer{Error: fmt.Sprintf("panic: %v", reason)}
		}
	}()
	reply, err := work()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return reply
}

func answerOne(verb byte, item []byte) (answer, error) {
	switch verb {
	case verbCheck:
		_, err := profile.ParseData(item)
		return answer{}, err
	case verbProto:
		_, err := parseProto(item)
		return answer{}, err
	case verbNormal:
		p, err := profile.ParseData(item)
		if err != nil {
			return answer{}, err
		}
		form := normal.Of(p)
		return answer{Text: form.Text, Attributes: form.Attributes, Digest: form.Digest()}, nil
	case verbFold:
		p, err := parseProto(item)
		if err != nil {
			return answer{}, err
		}
		merged, err := profile.Merge([]*profile.Profile{p})
		if err != nil {
			return answer{}, err
		}
		return answer{Digest: normal.Of(merged).Digest()}, nil
	}
	return answer{}, fmt.Errorf("unknown verb %q", verb)
}

func pruneOne(drop, keep string, item []byte) (answer, error) {
	p, err := parseProto(item)
	if err != nil {
		return answer{}, err
	}
	var keepRx *regexp.Regexp
	if keep != "" {
		keepRx = regexp.MustCompile(keep)
	}
	p.Prune(regexp.MustCompile(drop), keepRx)
	form := normal.Of(p)
	return answer{Text: form.Text, Attributes: form.Attributes, Digest: form.Digest()}, nil
}

func parseProto(data []byte) (*profile.Profile, error) {
	p, err := profile.ParseUncompressed(data)
	if err != nil {
		return nil, err
	}
	return p, p.CheckValid()
}

func mergeAll(items [][]byte) (answer, error) {
	profiles := make([]*profile.Profile, 0, len(items))
	for i, item := range items {
		p, err := profile.ParseData(item)
		if err != nil {
			return answer{}, fmt.Errorf("profile %d: %w", i, err)
		}
		profiles = append(profiles, p)
	}
	merged, err := profile.Merge(profiles)
	if err != nil {
		return answer{}, err
	}
	var out bytes.Buffer
	if err := merged.WriteUncompressed(&out); err != nil {
		return answer{}, err
	}
	form := normal.Of(merged)
	return answer{Text: form.Text, Attributes: form.Attributes, Digest: form.Digest(), Bytes: out.Bytes()}, nil
}
