// Changes one string of a recorded profile and nothing else.

package record

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
)

const stringTableTag = 6<<3 | 2

var errNotAProfile = errors.New("the runtime wrote what is no profile")

// renameString rewrites the entries of the string table that are `from`, and gzips as the runtime does.
func renameString(recorded []byte, from, to string) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(recorded))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	renamed := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		size, content, err := fieldAt(raw)
		if err != nil {
			return nil, err
		}
		if raw[0] == stringTableTag && string(content) == from {
			renamed = append(renamed, stringTableTag)
			renamed = binary.AppendUvarint(renamed, uint64(len(to)))
			renamed = append(renamed, to...)
		} else {
			renamed = append(renamed, raw[:size]...)
		}
		raw = raw[size:]
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(renamed); err != nil {
		return nil, err
	}
	err = zip.Close()
	return packed.Bytes(), err
}

// fieldAt gives the size of the field that the bytes begin with, and its content where it has a length. Tags of a profile are one byte.
func fieldAt(raw []byte) (size int, content []byte, err error) {
	number, used := binary.Uvarint(raw[1:])
	if used <= 0 {
		return 0, nil, errNotAProfile
	}
	switch raw[0] & 7 {
	case 0:
		return 1 + used, nil, nil
	case 2:
		end := 1 + used + int(number)
		if end > len(raw) {
			return 0, nil, errNotAProfile
		}
		return end, raw[1+used : end], nil
	}
	return 0, nil, errNotAProfile
}
