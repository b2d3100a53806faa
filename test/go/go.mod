// Programs of ours that tests drive: the merge oracle, the recorder of profiles, clients of the contract.
module profusion/test/go

go 1.26

require github.com/google/pprof v0.0.0-20260906184651-6331bc6350fe
