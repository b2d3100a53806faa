// The protobuf that this package needs, and no more.

package encode

// A writer appends protobuf fields; a nested message is written to a writer of its own first.
type writer struct{ bytes []byte }

func (w *writer) varint(value uint64) {
	for value >= 0x80 {
		w.bytes = append(w.bytes, byte(value)|0x80)
		value >>= 7
	}
	w.bytes = append(w.bytes, byte(value))
}

func (w *writer) uint(field int, value uint64) {
	w.varint(uint64(field) << 3)
	w.varint(value)
}

// uintOpt leaves out a zero.
func (w *writer) uintOpt(field int, value uint64) {
	if value != 0 {
		w.uint(field, value)
	}
}

// uints packs three numbers or more and writes fewer one by one, as Go's runtime does.
func (w *writer) uints(field int, values []uint64) {
	if len(values) <= 2 {
		for _, value := range values {
			w.uint(field, value)
		}
		return
	}
	var packed writer
	for _, value := range values {
		packed.varint(value)
	}
	w.message(field, packed.bytes)
}

func (w *writer) message(field int, content []byte) {
	w.varint(uint64(field)<<3 | 2)
	w.varint(uint64(len(content)))
	w.bytes = append(w.bytes, content...)
}
