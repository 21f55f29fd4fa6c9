//! How much memory this process has used.

/// Peak resident size in megabytes (`VmHWM`), 0 where the system does not say.
pub fn peak_megabytes() -> f32 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .as_deref()
        .and_then(parse)
        .unwrap_or(0.0)
}

fn parse(status: &str) -> Option<f32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_peak() {
        assert_eq!(
            super::parse("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t1 kB\n"),
            Some(2.0)
        );
        assert_eq!(super::parse("Name:\tx\n"), None);
        assert!(super::peak_megabytes() > 0.0);
    }
}
