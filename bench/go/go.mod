// Programs of ours that the benchmarks need: loads to record profiles of, the bootstrap, and the peers in Go.
module profusion/bench/go

go 1.26

require github.com/google/pprof v0.0.0-20260906184651-6331bc6350fe
