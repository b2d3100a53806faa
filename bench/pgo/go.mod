// A program whose hot path pays off under PGO, to measure what a profile is worth to the compiler.
module profusion/bench/pgo

go 1.26
