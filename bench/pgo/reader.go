package main

// A Source gives the fields of records, one after the other.
type Source interface {
	Next() (number, value uint64, ok bool)
}

// A Sink takes them.
type Sink interface {
	Field(number, value uint64)
	Sum() uint64
}

// readAll is the hot path: two calls through interfaces for each field, of which the compiler cannot know whom they call without a profile.
func readAll(source Source, sink Sink) {
	for {
		number, value, ok := source.Next()
		if !ok {
			return
		}
		sink.Field(number, value)
	}
}

// packed is a Source of fields that stand in bytes, each as two varints. It stops at what is no field.
type packed struct {
	bytes []byte
	at    int
}

func (p *packed) Next() (number, value uint64, ok bool) {
	number, valueAt := uvarint(p.bytes, p.at)
	if valueAt < 0 {
		return 0, 0, false
	}
	value, p.at = uvarint(p.bytes, valueAt)
	return number, value, p.at >= 0
}

// uvarint answers where the next value begins, or -1. One or two bytes are most of what it reads. By the compiler's count it costs more than
// 80, which is the budget for inlining what is not hot.
func uvarint(bytes []byte, at int) (value uint64, next int) {
	if at+1 < len(bytes) {
		first, second := bytes[at], bytes[at+1]
		if first < 0x80 {
			return uint64(first), at + 1
		}
		if second < 0x80 {
			return uint64(first&0x7f) | uint64(second)<<7, at + 2
		}
	}
	for shift := uint(0); at < len(bytes); shift += 7 {
		part := bytes[at]
		at++
		if shift == 63 && part > 1 {
			return 0, -1
		}
		value |= uint64(part&0x7f) << shift
		if part < 0x80 {
			return value, at
		}
	}
	return 0, -1
}

// encode writes records of eight fields: six small numbers, one of two bytes, and an id.
func encode(records int) []byte {
	var bytes []byte
	state := uint64(88172645463325252)
	for range records {
		for number := uint64(1); number <= 8; number++ {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			value := state % 128
			switch number {
			case 7:
				value = 128 + state%16000
			case 8:
				value = state >> 20
			}
			bytes = appendUvarint(appendUvarint(bytes, number), value)
		}
	}
	return bytes
}

func appendUvarint(bytes []byte, value uint64) []byte {
	for ; value >= 0x80; value >>= 7 {
		bytes = append(bytes, byte(value)|0x80)
	}
	return append(bytes, byte(value))
}
