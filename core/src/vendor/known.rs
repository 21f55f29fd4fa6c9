//! The libraries that Rockchip published: all 36 that its repository ever held, known by the SHA-1 that git
//! gives their bytes (see [`super::recognise::blob`]).
//!
//! Facts: `vendor/files.json`.

/// A release of the RKLLM runtime.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// As users write it: `1.0.0`.
    pub name: &'static str,
    /// As the vendor published it: `1.0.0-beta`.
    pub published: &'static str,
    /// The ABI group, named after its first release.
    pub group: &'static str,
}

const fn release_of(name: &'static str, published: &'static str, group: &'static str) -> Release {
    Release {
        name,
        published,
        group,
    }
}

/// All releases, oldest first.
pub static RELEASES: [Release; 14] = [
    release_of("1.0.0", "1.0.0-beta", "1.0.0"),
    release_of("1.0.1", "1.0.1", "1.0.1"),
    release_of("1.0.2", "1.0.2-beta", "1.0.1"),
    release_of("1.1.0", "1.1.0", "1.1.0"),
    release_of("1.1.1", "1.1.1", "1.1.0"),
    release_of("1.1.2", "1.1.2", "1.1.0"),
    release_of("1.1.3", "1.1.3", "1.1.0"),
    release_of("1.1.4", "1.1.4", "1.1.0"),
    release_of("1.2.0", "1.2.0", "1.2.0"),
    release_of("1.2.1b1", "1.2.1b1", "1.2.1b1"),
    release_of("1.2.1", "1.2.1", "1.2.1"),
    release_of("1.2.2", "1.2.2", "1.2.1"),
    release_of("1.2.3", "1.2.3", "1.2.1"),
    release_of("1.3.0", "1.3.0", "1.3.0"),
];

/// The release that users or the vendor call `name`; a group is named like its first release.
pub fn release(name: &str) -> Option<&'static Release> {
    RELEASES
        .iter()
        .find(|release| [release.name, release.published].contains(&name))
}

/// The ABI group of a release.
pub fn group_of(name: &str) -> Option<&'static str> {
    release(name).map(|release| release.group)
}

/// The names of all groups, oldest first.
pub fn groups() -> impl Iterator<Item = &'static str> {
    let first = |release: &&Release| release.name == release.group;
    RELEASES.iter().filter(first).map(|release| release.group)
}

/// The official file with this git blob SHA-1.
pub fn official(sha1: &[u8; 20]) -> Option<&'static Official> {
    FILES.iter().find(|file| file.sha1 == *sha1)
}

/// A published `librkllmrt.so`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Official {
    /// The release as users write it, such as `1.1.4`.
    pub release: &'static str,
    /// The ABI group the release belongs to.
    pub group: &'static str,
    /// System and processor, such as `Linux/aarch64`.
    pub platform: &'static str,
    /// The commit of the vendor's repository that holds the file.
    pub commit: &'static str,
    /// Where the file is in that commit.
    pub path: &'static str,
    /// SHA-1 over `blob <length>\0` and the bytes of the file.
    pub sha1: [u8; 20],
}

/// The bytes of a hash that is written in lower-case hexadecimal digits.
const fn bytes(hex: &str) -> [u8; 20] {
    let hex = hex.as_bytes();
    assert!(hex.len() == 40, "a SHA-1 has 40 digits");
    let mut bytes = [0; 20];
    let mut i = 0;
    while i < 20 {
        bytes[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
        i += 1;
    }
    bytes
}

const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("a hexadecimal digit"),
    }
}

/// Every file, oldest release first.
pub const FILES: &[Official] = &[
    Official {
        release: "1.0.0",
        group: "1.0.0",
        platform: "Android/arm64-v8a",
        commit: "b81deb2077de1820285ba6ff2c33e11a700651b9",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("0b93495ab81d86d61dfbbb6a6481d7881cc5a557"),
    },
    Official {
        release: "1.0.0",
        group: "1.0.0",
        platform: "Linux/aarch64",
        commit: "b81deb2077de1820285ba6ff2c33e11a700651b9",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("53e00993ebbc7797df09673f806479e8642db946"),
    },
    Official {
        release: "1.0.1",
        group: "1.0.1",
        platform: "Android/arm64-v8a",
        commit: "d59d017d4c3a8055d659d9eaa246296282053988",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("ba8f0763753069586541993e4ed66a68f9596ce4"),
    },
    Official {
        release: "1.0.1",
        group: "1.0.1",
        platform: "Linux/aarch64",
        commit: "d59d017d4c3a8055d659d9eaa246296282053988",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("a026cbe60905af0ad6c07dfa2fcc339dd4b9fa10"),
    },
    Official {
        release: "1.0.2",
        group: "1.0.1",
        platform: "Android/arm64-v8a",
        commit: "92fce84bdd248cd631a0b7694ca542b1b4fd12ad",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("2f7e7e97447cf9515d92e94f456ae7ec5795dda8"),
    },
    Official {
        release: "1.0.2",
        group: "1.0.1",
        platform: "Linux/aarch64",
        commit: "92fce84bdd248cd631a0b7694ca542b1b4fd12ad",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("c913ab1569dfed48916c05fcd898f8d3f9dafe04"),
    },
    Official {
        release: "1.1.0",
        group: "1.1.0",
        platform: "Android/arm64-v8a",
        commit: "71773f050acf27261b05c076bf7e9a22f1bfb18c",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("9b5ff7f87f5f49655428de4f3dbef613d5a6b6c5"),
    },
    Official {
        release: "1.1.0",
        group: "1.1.0",
        platform: "Linux/aarch64",
        commit: "71773f050acf27261b05c076bf7e9a22f1bfb18c",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("66dfdc7c25cdca9ccf9930798118e17abf7592ff"),
    },
    Official {
        release: "1.1.1",
        group: "1.1.0",
        platform: "Android/arm64-v8a",
        commit: "61edffefc13e4a7ae5496f48a3e82945c345a379",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("9cb37c73de4f51650f61ad3427bdf11c558ae499"),
    },
    Official {
        release: "1.1.1",
        group: "1.1.0",
        platform: "Linux/aarch64",
        commit: "61edffefc13e4a7ae5496f48a3e82945c345a379",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("bfca051375287d0f5aa754a7b8681b4ede52e259"),
    },
    Official {
        release: "1.1.2",
        group: "1.1.0",
        platform: "Android/arm64-v8a",
        commit: "71c79c3c0fbcb32982aea2ef2b4e9807b73ec91b",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("87b6735ebb37a88616e559c81ce7700ae26d440b"),
    },
    Official {
        release: "1.1.2",
        group: "1.1.0",
        platform: "Linux/aarch64",
        commit: "71c79c3c0fbcb32982aea2ef2b4e9807b73ec91b",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("e8f4afc38c7394beeff83003dbc772412f649a44"),
    },
    Official {
        release: "1.1.3",
        group: "1.1.0",
        platform: "Android/arm64-v8a",
        commit: "1a502afb52bddc49c2f4e9c0b025b7ab471467a9",
        path: "rkllm-runtime/runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("ecc05306766660bd79a708200948f3d009efe4ba"),
    },
    Official {
        release: "1.1.3",
        group: "1.1.0",
        platform: "Linux/aarch64",
        commit: "1a502afb52bddc49c2f4e9c0b025b7ab471467a9",
        path: "rkllm-runtime/runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("68e79327e82f675413956be615f48c62ccd0f16e"),
    },
    Official {
        release: "1.1.4",
        group: "1.1.0",
        platform: "Android/arm64-v8a",
        commit: "8623edd0559a07e7127876d685f2b7ca8b83590c",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("3f173bdf016d346690d2ccad52480efc53234b3e"),
    },
    Official {
        release: "1.1.4",
        group: "1.1.0",
        platform: "Linux/aarch64",
        commit: "8623edd0559a07e7127876d685f2b7ca8b83590c",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("3bb8cb6172c4c06e1c622c8f8c579888378784f4"),
    },
    Official {
        release: "1.2.0",
        group: "1.2.0",
        platform: "Android/arm64-v8a",
        commit: "cb5b341364311065fd19eddd631a79a9f0c5afe1",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("d61b58e295a1e88f3c690df316bfd83eec4bd16d"),
    },
    Official {
        release: "1.2.0",
        group: "1.2.0",
        platform: "Linux/aarch64",
        commit: "cb5b341364311065fd19eddd631a79a9f0c5afe1",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("d45ee9b8dcb9ef27d7dd875ce3be3d5e6dfb654d"),
    },
    Official {
        release: "1.2.1b1",
        group: "1.2.1b1",
        platform: "Android/arm64-v8a",
        commit: "d8a9f6a9cce06922bf61ea9151d72fbf55dd55bb",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("08dc9db1a201c0a87f596c7667d5dc98ca16a7d9"),
    },
    Official {
        release: "1.2.1b1",
        group: "1.2.1b1",
        platform: "Linux/aarch64",
        commit: "d8a9f6a9cce06922bf61ea9151d72fbf55dd55bb",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("db041c01bba5e0e8f624bb2ff50d48825dde1bfc"),
    },
    Official {
        release: "1.2.1",
        group: "1.2.1",
        platform: "Android/arm64-v8a",
        commit: "d546a0f975d62469cf1306f98103c737ff933506",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("4464ccb4f167d72dbd61fe1c92b44976ed45dda5"),
    },
    Official {
        release: "1.2.1",
        group: "1.2.1",
        platform: "Android/armeabi-v7a",
        commit: "d546a0f975d62469cf1306f98103c737ff933506",
        path: "rkllm-runtime/Android/librkllm_api/armeabi-v7a/librkllmrt.so",
        sha1: bytes("232dc7a18d14dd0c47fd9f6f3b8581e07cdddc92"),
    },
    Official {
        release: "1.2.1",
        group: "1.2.1",
        platform: "Linux/aarch64",
        commit: "d546a0f975d62469cf1306f98103c737ff933506",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("6b9439d59f2fe4bb8ef5ee2b09c102f1bf993da9"),
    },
    Official {
        release: "1.2.1",
        group: "1.2.1",
        platform: "Linux/armhf",
        commit: "d546a0f975d62469cf1306f98103c737ff933506",
        path: "rkllm-runtime/Linux/librkllm_api/armhf/librkllmrt.so",
        sha1: bytes("7025f35825e04ad75d839d10392e3c02cc88e57a"),
    },
    Official {
        release: "1.2.2",
        group: "1.2.1",
        platform: "Android/arm64-v8a",
        commit: "04b51a3c10bf4416f3815b630a35fc35e20a38d1",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("471639b60c2c7fdcb2c8dffd553acc8548d10c2e"),
    },
    Official {
        release: "1.2.2",
        group: "1.2.1",
        platform: "Android/armeabi-v7a",
        commit: "04b51a3c10bf4416f3815b630a35fc35e20a38d1",
        path: "rkllm-runtime/Android/librkllm_api/armeabi-v7a/librkllmrt.so",
        sha1: bytes("b7310ed2a1c1c054adf82c8883d9b339b5e7d1a0"),
    },
    Official {
        release: "1.2.2",
        group: "1.2.1",
        platform: "Linux/aarch64",
        commit: "04b51a3c10bf4416f3815b630a35fc35e20a38d1",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("8ed9cca16f8d5ad8f7cdd7d393de6561182b3395"),
    },
    Official {
        release: "1.2.2",
        group: "1.2.1",
        platform: "Linux/armhf",
        commit: "04b51a3c10bf4416f3815b630a35fc35e20a38d1",
        path: "rkllm-runtime/Linux/librkllm_api/armhf/librkllmrt.so",
        sha1: bytes("d5953fdad6e60521f1dc696f6d638425c93ba08d"),
    },
    Official {
        release: "1.2.3",
        group: "1.2.1",
        platform: "Android/arm64-v8a",
        commit: "f7df8e5de9b40dc7aaa66194cf14d4895aaf159a",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("348986e7a8170ddb2c3b43e99257d2e64d9699f6"),
    },
    Official {
        release: "1.2.3",
        group: "1.2.1",
        platform: "Android/armeabi-v7a",
        commit: "f7df8e5de9b40dc7aaa66194cf14d4895aaf159a",
        path: "rkllm-runtime/Android/librkllm_api/armeabi-v7a/librkllmrt.so",
        sha1: bytes("d53acaf083edd95a1bac3513cc5c5241c1cc272c"),
    },
    Official {
        release: "1.2.3",
        group: "1.2.1",
        platform: "Linux/aarch64",
        commit: "f7df8e5de9b40dc7aaa66194cf14d4895aaf159a",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("0084abc34ab43359cfa9fd5d4c92ece34127dbd0"),
    },
    Official {
        release: "1.2.3",
        group: "1.2.1",
        platform: "Linux/armhf",
        commit: "f7df8e5de9b40dc7aaa66194cf14d4895aaf159a",
        path: "rkllm-runtime/Linux/librkllm_api/armhf/librkllmrt.so",
        sha1: bytes("fe1ca6849603a770c54f82d26b826a120c79a01a"),
    },
    Official {
        release: "1.3.0",
        group: "1.3.0",
        platform: "Android/arm64-v8a",
        commit: "878f9361fd3afa7e167b7079918918f78d2c1c2a",
        path: "rkllm-runtime/Android/librkllm_api/arm64-v8a/librkllmrt.so",
        sha1: bytes("5f0bd5f39bd05263a59786733687d29e66982aa6"),
    },
    Official {
        release: "1.3.0",
        group: "1.3.0",
        platform: "Android/armeabi-v7a",
        commit: "878f9361fd3afa7e167b7079918918f78d2c1c2a",
        path: "rkllm-runtime/Android/librkllm_api/armeabi-v7a/librkllmrt.so",
        sha1: bytes("f96c82ba91731e14905d95bda44555b191dbe996"),
    },
    Official {
        release: "1.3.0",
        group: "1.3.0",
        platform: "Linux/aarch64",
        commit: "878f9361fd3afa7e167b7079918918f78d2c1c2a",
        path: "rkllm-runtime/Linux/librkllm_api/aarch64/librkllmrt.so",
        sha1: bytes("34167b32f99cb7ab19e21fb579fb750d96b878f1"),
    },
    Official {
        release: "1.3.0",
        group: "1.3.0",
        platform: "Linux/armhf",
        commit: "878f9361fd3afa7e167b7079918918f78d2c1c2a",
        path: "rkllm-runtime/Linux/librkllm_api/armhf/librkllmrt.so",
        sha1: bytes("17c9063b46168c4e7d093d6fedb097874f92d076"),
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::surface::Json;
    use crate::vendor::recognise::blob::hex;

    #[test]
    fn the_table_is_that_of_the_facts() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vendor/files.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("SKIPPED: no facts at {}", path.display());
            return;
        };
        let facts: Json = serde_json::from_str(&text).unwrap();
        let facts = facts["files"].as_array().unwrap();
        assert_eq!(facts.len(), FILES.len());
        for (fact, file) in facts.iter().zip(FILES) {
            let release = fact["release"].as_str().unwrap();
            let known = super::release(release).unwrap();
            assert_eq!((known.published, known.name), (release, file.release));
            assert_eq!(fact["group"], file.group);
            assert_eq!(known.group, file.group);
            assert_eq!(fact["platform"], file.platform);
            assert_eq!(fact["commit"], file.commit);
            assert_eq!(fact["path"], file.path);
            assert_eq!(fact["git_blob_sha1"], hex(&file.sha1));
        }
    }
}
