//! What fuzzing started from and what it found (`tests/fuzz`), once more: no input may be more than an
//! error.

#[path = "../../tests/fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Far more than any input needs, also beside other tests.
const SLOW: Duration = Duration::from_secs(10);

/// The files of a target's corpus, with their names.
fn written(fuzz: &Path, target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz.join("corpus").join(target);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap().path());
    let files = files.map(|path| (path.display().to_string(), fs::read(path).unwrap()));
    files.collect()
}

/// What was found: a line for each input, in hex.
fn found(fuzz: &Path, target: &str) -> Vec<(String, Vec<u8>)> {
    let file = fuzz.join("found").join(format!("{target}.hex"));
    let lines =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    };
    let inputs = lines.lines().zip(1..).map(|(line, number)| {
        let bytes = line.as_bytes().chunks(2).map(byte);
        (format!("{}:{number}", file.display()), bytes.collect())
    });
    inputs.collect()
}

#[test]
fn the_corpus_is_replayed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
    for (name, target) in targets::TARGETS {
        let (written, found) = (written(&fuzz, name), found(&fuzz, name));
        println!(
            "{name}: {} inputs written, {} found",
            written.len(),
            found.len()
        );
        assert!(written.len() >= 5 && found.len() >= 100, "{name}");
        for (place, bytes) in written.iter().chain(&found) {
            let begun = Instant::now();
            target(bytes);
            assert!(begun.elapsed() < SLOW, "{place}: {:?}", begun.elapsed());
        }
    }
}
