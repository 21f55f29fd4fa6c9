//! The chips that RKLLM models are made for, and the quantisations of each.

/// A chip, and the quantisations that the toolkit makes for it (`BEHAVIOUR.md`, section 17).
struct Platform {
    name: &'static str,
    /// Spellings of the same chip in names and device trees.
    words: &'static [&'static str],
    quantisations: &'static [&'static str],
}

const W4: [&str; 5] = ["w4a16", "w4a16_g32", "w4a16_g64", "w4a16_g128", "w8a8"];

const PLATFORMS: [Platform; 4] = [
    Platform {
        name: "RK3588",
        words: &["rk3588", "rk3588s"],
        quantisations: &["w8a8", "w8a8_g128", "w8a8_g256", "w8a8_g512"],
    },
    Platform {
        name: "RK3576",
        words: &["rk3576", "rk3576s"],
        quantisations: &W4,
    },
    Platform {
        name: "RK3562",
        words: &["rk3562"],
        quantisations: &["w8a8", "w4a16_g32", "w4a16_g64", "w4a16_g128", "w4a8_g32"],
    },
    Platform {
        name: "RV1126B",
        words: &["rv1126b"],
        quantisations: &W4,
    },
];

/// The chip that a word in lower case names.
pub(super) fn of_word(word: &str) -> Option<&'static str> {
    let mut all = PLATFORMS.iter();
    all.find(|one| one.words.contains(&word))
        .map(|one| one.name)
}

/// The quantisations that are made for a chip, where this one is none of them. A model that was not
/// quantised runs anywhere.
pub(super) fn lacks(platform: &str, quantisation: &str) -> Option<&'static [&'static str]> {
    let one = PLATFORMS.iter().find(|one| one.name == platform)?;
    let known = quantisation.starts_with('w') && !one.quantisations.contains(&quantisation);
    known.then_some(one.quantisations)
}

/// The chip of the machine with this device tree: its `compatible` property, texts that end in NUL.
fn of_device_tree(compatible: &[u8]) -> Option<&'static str> {
    compatible.split(|byte| *byte == 0).find_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        of_word(text.strip_prefix("rockchip,")?)
    })
}

/// The chip of this machine, where it is one that runs RKLLM models.
pub(super) fn here() -> Option<&'static str> {
    let compatible = std::fs::read("/proc/device-tree/compatible").ok()?;
    of_device_tree(&compatible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_chip_are_one() {
        assert_eq!(of_word("rk3588"), Some("RK3588"));
        assert_eq!(of_word("rk3588s"), Some("RK3588"));
        assert_eq!(of_word("rk3568"), None);
        let board = b"xunlong,orangepi-5\0rockchip,rk3588s\0";
        assert_eq!(of_device_tree(board), Some("RK3588"));
        assert_eq!(of_device_tree(b"raspberrypi,4\0brcm,bcm2711\0"), None);
        assert_eq!(of_device_tree(b"rockchip,\xff\0"), None);
    }

    #[test]
    fn what_a_chip_has_no_quantisation_for_is_known() {
        assert!(lacks("RK3588", "w4a16").is_some());
        assert!(lacks("RK3588", "w8a8_g512").is_none());
        assert!(lacks("RK3576", "w8a8_g128").is_some());
        assert!(lacks("RK3562", "w4a8_g32").is_none());
        assert!(lacks("RK3588", "fp16").is_none());
        assert!(lacks("RK9999", "w4a16").is_none());
    }
}
