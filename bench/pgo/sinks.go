package main

// totals sums each field, and notes its largest value.
type totals struct {
	sums    [16]uint64
	largest [16]uint64
}

func (t *totals) Field(number, value uint64) {
	slot := number & 15
	t.sums[slot] += value
	t.largest[slot] = max(t.largest[slot], value)
}

func (t *totals) Sum() (sum uint64) {
	for slot := range t.sums {
		sum += t.sums[slot] ^ t.largest[slot]
	}
	return sum
}

// index counts values by their hash.
type index struct {
	counts [256]uint32
}

func (i *index) Field(number, value uint64) {
	i.counts[slotOf(number, value)]++
}

func (i *index) Sum() (sum uint64) {
	for slot, count := range i.counts {
		sum += uint64(slot) * uint64(count)
	}
	return sum
}

// slotOf too costs more than 80.
func slotOf(number, value uint64) uint8 {
	low, high := number*0x9e3779b97f4a7c15^value, value*0xc2b2ae3d27d4eb4f^number
	low ^= low >> 33
	high ^= high >> 29
	low *= 0xff51afd7ed558ccd
	high *= 0xc4ceb9fe1a85ec53
	low += high<<31 | high>>33
	high += low<<27 | low>>37
	low ^= low >> 32
	high ^= high >> 30
	return uint8(low ^ low>>8 ^ low>>16 ^ high ^ high>>8 ^ high>>16 ^ high>>24)
}
