//! What fuzzing has found worth keeping (`tests/fuzz`), once more: no input may be more than an error.

#[path = "../../tests/fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Far more than any input needs, also beside other tests.
const SLOW: Duration = Duration::from_secs(10);

#[test]
fn the_corpus_is_replayed() {
    for (name, target) in targets::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/fuzz/corpus")
            .join(name);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for path in &files {
            let bytes = fs::read(path).unwrap();
            let begun = Instant::now();
            target(&bytes);
            assert!(
                begun.elapsed() < SLOW,
                "{}: {:?}",
                path.display(),
                begun.elapsed()
            );
        }
        println!("{name}: {} inputs", files.len());
        assert!(files.len() >= 5, "{name}");
    }
}
