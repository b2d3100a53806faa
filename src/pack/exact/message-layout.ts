// How a writer lays out one kind of message: a byte per field, in the order written, with what it does about zeros and
// repeated numbers.

/** Added to a field's number: the field is written when it is zero, too. Else it is left out. */
export const WRITES_ZERO = 0x20;
