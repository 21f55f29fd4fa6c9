//! How many threads compute.
//!
//! All cores that this process may use, but only the fast ones where cores differ: every step of a
//! model waits for the slowest thread.

use std::path::Path;

/// Share of the fastest core's capacity that a core must have to take part, in percent.
const FAST_PERCENT: u64 = 80;

/// Threads for this process on this machine.
pub fn count() -> usize {
    // Covers the affinity mask and the cgroup's CPU quota.
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    let capacities: Vec<u64> = allowed_cpus().into_iter().filter_map(capacity).collect();
    choose(allowed, &capacities)
}

/// `allowed` threads, but no more than there are fast cores among those whose capacity is known.
fn choose(allowed: usize, capacities: &[u64]) -> usize {
    let fastest = capacities.iter().copied().max().unwrap_or(0);
    let fast = capacities
        .iter()
        .filter(|capacity| **capacity * 100 >= fastest * FAST_PERCENT);
    match fast.count() {
        0 => allowed.max(1),
        fast => allowed.clamp(1, fast),
    }
}

/// The kernel's measure of a core, which it publishes where cores differ.
fn capacity(cpu: usize) -> Option<u64> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/cpu_capacity");
    std::fs::read_to_string(Path::new(&path))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Numbers of the CPUs in this process's affinity mask; empty if the kernel does not say.
fn allowed_cpus() -> Vec<usize> {
    // SAFETY: an all-zero set is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable and the size is its own.
    if unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) } != 0 {
        return Vec::new();
    }
    // SAFETY: the numbers are below the size of the set.
    (0..libc::CPU_SETSIZE as usize)
        .filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cores_all_take_part() {
        assert_eq!(choose(8, &[]), 8);
        assert_eq!(choose(4, &[1024; 4]), 4);
        assert_eq!(choose(2, &[1024; 4]), 2);
    }

    #[test]
    fn slow_cores_stay_out() {
        // RK3588: four small and four large cores.
        assert_eq!(choose(8, &[530, 530, 530, 530, 1024, 1024, 1024, 1024]), 4);
        // Only small cores are allowed: among themselves they are the fastest.
        assert_eq!(choose(4, &[530, 530, 530, 530]), 4);
        // 80 percent is enough, 79 is not.
        assert_eq!(choose(3, &[1000, 800, 790]), 2);
    }

    #[test]
    fn a_quota_below_the_fast_cores_rules() {
        assert_eq!(choose(1, &[530, 1024, 1024]), 1);
        assert_eq!(choose(0, &[]), 1);
    }

    #[test]
    fn this_machine_has_at_least_one() {
        let count = count();
        assert!(count >= 1 && count <= allowed_cpus().len().max(1));
    }
}
