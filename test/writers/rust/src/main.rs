// Profiles itself with pprof-rs, three times, and writes the protobufs into the folder that it is given.

use pprof::protos::Message;
use std::collections::HashMap;

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn sort(round: u64) -> usize {
    let mut texts: Vec<String> = (0..20_000u64).map(|n| format!("{:x}", n.wrapping_mul(7919 * (round + 1)) % 65_537)).collect();
    texts.sort();
    texts.dedup();
    texts.len()
}

fn count(round: u64) -> usize {
    let mut sums = HashMap::new();
    for n in 0..20_000u64 {
        *sums.entry(n * round % 977).or_insert(0u64) += n;
    }
    sums.len()
}

fn main() {
    let folder = std::env::args().nth(1).expect("usage: writer FOLDER");
    for round in 1..=3u64 {
        let guard = pprof::ProfilerGuardBuilder::default()
            .frequency(499)
            .blocklist(&["libc", "libgcc", "pthread", "vdso"])
            .build()
            .expect("the profiler starts");
        let worker = std::thread::Builder::new()
            .name(format!("worker-{round}"))
            .spawn(move || (0..30).map(|_| sort(round) + count(round)).sum::<usize>())
            .expect("a thread starts");
        let own: u64 = (0..30).map(|call| fib(27) + sort(call) as u64).sum();
        println!("{}", own + worker.join().expect("the worker ends") as u64);
        let profile = guard.report().build().expect("a report").pprof().expect("a profile");
        std::fs::write(format!("{folder}/pprof-rs-cpu-{round}.pb"), profile.encode_to_vec()).expect("the folder can be written");
    }
}
