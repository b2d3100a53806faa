//go:build second

package release

const Second = true
