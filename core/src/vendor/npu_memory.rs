//! What to look at where the NPU has no memory for a model. What speaks for each cause, and for their
//! order, is in `QUIRKS.md`, "Abort / lifetime" and "Environment".

use std::fs;
use std::path::Path;

use super::InitFailure;
use super::version::Version;
use crate::surface::NpuHolder;

/// The driver that the vendor's manuals ask for since 1.1.0.
const DRIVER: Version = Version::known("0.9.8");

/// Where the driver tells its version; only root may read it on most systems.
const DRIVER_FILE: &str = "/sys/kernel/debug/rknpu/version";

/// Whether memory is what a failed `rkllm_init` lacked: it says so, or it claims success and gives
/// nothing.
pub(crate) fn is_cause(failure: &InitFailure) -> bool {
    let says = |line: &String| {
        let line = line.to_lowercase();
        let memory = ["malloc", "alloc", "memory"];
        let lack = ["fail", "cannot", "unable", "out of memory"];
        memory.iter().any(|word| line.contains(word)) && lack.iter().any(|word| line.contains(word))
    };
    failure.status == 0 && failure.log.iter().all(|line| !line.contains("E rkllm"))
        || failure.log.iter().any(says)
}

/// What may be why, the likeliest first. `available` are the bytes of free memory.
pub(crate) fn causes(
    failure: &InitFailure,
    model: &Path,
    available: Option<u64>,
    others: &[NpuHolder],
) -> String {
    let text = fs::read_to_string(DRIVER_FILE).ok();
    let driver = driver_of(&failure.log.join("\n")).or_else(|| driver_of(text.as_deref()?));
    let megabytes = |bytes: u64| format!("{} MB", bytes / 1_000_000);
    let size = fs::metadata(model).map_or(0, |metadata| metadata.len());
    let free = match available {
        Some(available) => format!("{} are available", megabytes(available)),
        None => "`free -m` tells how much is available".to_owned(),
    };
    let others = match others {
        [] => "no other process of rkchat has a model there; `sudo cat /sys/kernel/debug/rknpu/load` shows whether \
               another program does"
            .to_owned(),
        others => format!("{} there; end it or close its model", list(others)),
    };
    format!(
        "What may be why, the likeliest first: (1) the NPU driver: {}; (2) free memory: {free}, and the model file has \
         {}; (3) other users of the NPU: {others}; (4) the NPU's memory domain 0, which has 4 GB on some boards: domain \
         1 helped some (base_domain_id)",
        told(driver),
        megabytes(size),
    )
}

/// Processes in words.
pub(crate) fn list(holders: &[NpuHolder]) -> String {
    let named: Vec<String> = holders.iter().map(named).collect();
    let have = if named.len() == 1 { "has" } else { "have" };
    format!("{} {have} a model", named.join(", "))
}

/// A process in words.
pub(crate) fn named(holder: &NpuHolder) -> String {
    match holder.program.is_empty() {
        true => format!("process {}", holder.pid),
        false => format!("{} (process {})", holder.program, holder.pid),
    }
}

fn told(driver: Option<Version>) -> String {
    match driver {
        Some(driver) if driver < DRIVER => {
            format!("it is {driver}, and models want {DRIVER} or newer: update the board's kernel")
        }
        Some(driver) => format!("it is {driver}, which is new enough"),
        None => format!("it should be {DRIVER} or newer; `sudo cat {DRIVER_FILE}` tells"),
    }
}

/// The version in `RKNPU driver: v0.9.8`, or in a runtime's line `rknpu driver version: 0.9.8`.
fn driver_of(text: &str) -> Option<Version> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once("rknpu driver")?;
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let rest = &rest[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let version = &rest[..end.unwrap_or(rest.len())];
    version.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: i32, line: &str) -> InitFailure {
        InitFailure {
            status,
            log: vec![line.to_owned()],
        }
    }

    #[test]
    fn failures_for_want_of_memory_are_told_from_others() {
        for line in [
            "E rkllm: failed to malloc npu memory, size: 50593792",
            "E rkllm: Cannot allocate memory",
        ] {
            assert!(is_cause(&failure(-1, line)), "{line}");
        }
        assert!(is_cause(&failure(0, "I rkllm: loading")));
        for line in [
            "E rkllm: invalid rknn llm model magic",
            "E rkllm: target_platform does not match",
            "I rkllm: Memory: 3 GB",
        ] {
            assert!(!is_cause(&failure(-1, line)), "{line}");
        }
    }

    #[test]
    fn causes_come_in_their_order() {
        let line =
            "I rkllm: rkllm-runtime version: 1.2.1, rknpu driver version: 0.9.6, platform: RK3588";
        let holder = NpuHolder {
            pid: 77,
            program: "python3".into(),
            models: 1,
        };
        let causes = causes(
            &failure(-1, line),
            Path::new("/"),
            Some(5_000_000),
            &[holder],
        );
        let parts = [
            "0.9.6",
            "5 MB are available",
            "python3 (process 77)",
            "domain 1",
        ];
        let places: Vec<_> = parts.iter().map(|part| causes.find(part)).collect();
        assert!(places.iter().all(Option::is_some), "{causes}");
        assert!(places.is_sorted(), "{causes}");
    }

    #[test]
    fn the_drivers_version_is_read_where_it_stands() {
        let version = |text: &str| driver_of(text).map(|version| version.to_string());
        assert_eq!(version("RKNPU driver: v0.9.8\n").as_deref(), Some("0.9.8"));
        assert_eq!(version("no driver"), None);
        assert!(told(None).contains(DRIVER_FILE));
        assert!(told(driver_of("RKNPU driver: v0.9.10")).contains("new enough"));
    }
}
