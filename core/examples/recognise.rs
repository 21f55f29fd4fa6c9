//! How long it takes to recognise a runtime file: prints three durations in milliseconds, for what the
//! file alone tells, for that and the call in a child process, and for doing it once more.

use std::path::Path;
use std::time::Instant;

use rkchat::vendor::recognise::{facts::Facts, recognise};

fn main() {
    let path = std::env::args_os().nth(1).expect("usage: recognise FILE");
    let path = Path::new(&path);
    let start = Instant::now();
    let mut times = Vec::new();
    if let Err(unfit) = Facts::of(path) {
        panic!("{}", unfit.at(path));
    }
    times.push(start.elapsed());
    recognise(path, None, None).expect("the file is recognised");
    times.push(start.elapsed());
    let again = Instant::now();
    recognise(path, None, None).expect("the file is recognised");
    times.push(again.elapsed());
    let times: Vec<_> = times
        .iter()
        .map(|time| format!("{:.3}", time.as_secs_f64() * 1e3))
        .collect();
    println!("{}", times.join(" "));
}
