//go:build !second

// Package release tells a program which of its two versions it is: the second has other code, so other addresses, lines and build id.
package release

const Second = false
