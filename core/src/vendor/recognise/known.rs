//! The official `librkllmrt.so` files: all 36 that the vendor's repository ever held.
//!
//! Facts: `vendor/files.json`. A file is known by its git blob SHA-1, see [`super::blob`].

/// The repository that holds the files.
pub const REPOSITORY: &str = "airockchip/rknn-llm";

/// One release of the RKLLM runtime.
#[derive(Debug)]
pub struct Release {
    /// As users write it: `1.0.0`.
    pub name: &'static str,
    /// As the vendor published it: `1.0.0-beta`.
    pub published: &'static str,
    /// The ABI group, named by its first release.
    pub group: &'static str,
    /// The commit of the vendor's repository.
    pub commit: &'static str,
    /// Its libraries.
    pub files: &'static [File],
    /// The folder of the runtime in the repository.
    folder: &'static str,
}

/// One library of a release.
#[derive(Debug)]
pub struct File {
    /// What it runs on: `Linux/aarch64`.
    pub platform: &'static str,
    /// Its git blob SHA-1.
    pub blob: [u8; 20],
}

/// A file that was recognised.
#[derive(Debug, Clone, Copy)]
pub struct Official {
    /// Its release.
    pub release: &'static Release,
    /// Which of the release's files it is.
    pub file: &'static File,
}

impl Official {
    /// Its path in the vendor's repository.
    pub fn path(&self) -> String {
        let (system, machine) = self.file.platform.split_once('/').unwrap_or_default();
        let folder = self.release.folder;
        format!("{folder}/{system}/librkllm_api/{machine}/librkllmrt.so")
    }
}

/// The official file with this git blob SHA-1.
pub fn official(blob: &[u8; 20]) -> Option<Official> {
    RELEASES.iter().find_map(|release| {
        let file = release.files.iter().find(|file| file.blob == *blob)?;
        Some(Official { release, file })
    })
}

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

/// Where the releases up to 1.1.3 kept their runtime.
const OLD_FOLDER: &str = "rkllm-runtime/runtime";
/// Where it is since.
const FOLDER: &str = "rkllm-runtime";

const fn file(platform: &'static str, blob: &str) -> File {
    let blob = bytes(blob);
    File { platform, blob }
}

/// Reads 40 hexadecimal digits; anything else does not compile.
const fn bytes(hex: &str) -> [u8; 20] {
    const fn digit(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        }
    }
    let hex = hex.as_bytes();
    assert!(hex.len() == 40);
    let mut bytes = [0; 20];
    let mut i = 0;
    while i < 20 {
        bytes[i] = digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]);
        i += 1;
    }
    bytes
}

/// All releases, oldest first.
pub static RELEASES: [Release; 14] = [
    Release {
        name: "1.0.0",
        published: "1.0.0-beta",
        group: "1.0.0",
        commit: "b81deb2077de1820285ba6ff2c33e11a700651b9",
        files: &[
            file(
                "Android/arm64-v8a",
                "0b93495ab81d86d61dfbbb6a6481d7881cc5a557",
            ),
            file("Linux/aarch64", "53e00993ebbc7797df09673f806479e8642db946"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.0.1",
        published: "1.0.1",
        group: "1.0.1",
        commit: "d59d017d4c3a8055d659d9eaa246296282053988",
        files: &[
            file(
                "Android/arm64-v8a",
                "ba8f0763753069586541993e4ed66a68f9596ce4",
            ),
            file("Linux/aarch64", "a026cbe60905af0ad6c07dfa2fcc339dd4b9fa10"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.0.2",
        published: "1.0.2-beta",
        group: "1.0.1",
        commit: "92fce84bdd248cd631a0b7694ca542b1b4fd12ad",
        files: &[
            file(
                "Android/arm64-v8a",
                "2f7e7e97447cf9515d92e94f456ae7ec5795dda8",
            ),
            file("Linux/aarch64", "c913ab1569dfed48916c05fcd898f8d3f9dafe04"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.1.0",
        published: "1.1.0",
        group: "1.1.0",
        commit: "71773f050acf27261b05c076bf7e9a22f1bfb18c",
        files: &[
            file(
                "Android/arm64-v8a",
                "9b5ff7f87f5f49655428de4f3dbef613d5a6b6c5",
            ),
            file("Linux/aarch64", "66dfdc7c25cdca9ccf9930798118e17abf7592ff"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.1.1",
        published: "1.1.1",
        group: "1.1.0",
        commit: "61edffefc13e4a7ae5496f48a3e82945c345a379",
        files: &[
            file(
                "Android/arm64-v8a",
                "9cb37c73de4f51650f61ad3427bdf11c558ae499",
            ),
            file("Linux/aarch64", "bfca051375287d0f5aa754a7b8681b4ede52e259"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.1.2",
        published: "1.1.2",
        group: "1.1.0",
        commit: "71c79c3c0fbcb32982aea2ef2b4e9807b73ec91b",
        files: &[
            file(
                "Android/arm64-v8a",
                "87b6735ebb37a88616e559c81ce7700ae26d440b",
            ),
            file("Linux/aarch64", "e8f4afc38c7394beeff83003dbc772412f649a44"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.1.3",
        published: "1.1.3",
        group: "1.1.0",
        commit: "1a502afb52bddc49c2f4e9c0b025b7ab471467a9",
        files: &[
            file(
                "Android/arm64-v8a",
                "ecc05306766660bd79a708200948f3d009efe4ba",
            ),
            file("Linux/aarch64", "68e79327e82f675413956be615f48c62ccd0f16e"),
        ],
        folder: OLD_FOLDER,
    },
    Release {
        name: "1.1.4",
        published: "1.1.4",
        group: "1.1.0",
        commit: "8623edd0559a07e7127876d685f2b7ca8b83590c",
        files: &[
            file(
                "Android/arm64-v8a",
                "3f173bdf016d346690d2ccad52480efc53234b3e",
            ),
            file("Linux/aarch64", "3bb8cb6172c4c06e1c622c8f8c579888378784f4"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.2.0",
        published: "1.2.0",
        group: "1.2.0",
        commit: "cb5b341364311065fd19eddd631a79a9f0c5afe1",
        files: &[
            file(
                "Android/arm64-v8a",
                "d61b58e295a1e88f3c690df316bfd83eec4bd16d",
            ),
            file("Linux/aarch64", "d45ee9b8dcb9ef27d7dd875ce3be3d5e6dfb654d"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.2.1b1",
        published: "1.2.1b1",
        group: "1.2.1b1",
        commit: "d8a9f6a9cce06922bf61ea9151d72fbf55dd55bb",
        files: &[
            file(
                "Android/arm64-v8a",
                "08dc9db1a201c0a87f596c7667d5dc98ca16a7d9",
            ),
            file("Linux/aarch64", "db041c01bba5e0e8f624bb2ff50d48825dde1bfc"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.2.1",
        published: "1.2.1",
        group: "1.2.1",
        commit: "d546a0f975d62469cf1306f98103c737ff933506",
        files: &[
            file(
                "Android/arm64-v8a",
                "4464ccb4f167d72dbd61fe1c92b44976ed45dda5",
            ),
            file(
                "Android/armeabi-v7a",
                "232dc7a18d14dd0c47fd9f6f3b8581e07cdddc92",
            ),
            file("Linux/aarch64", "6b9439d59f2fe4bb8ef5ee2b09c102f1bf993da9"),
            file("Linux/armhf", "7025f35825e04ad75d839d10392e3c02cc88e57a"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.2.2",
        published: "1.2.2",
        group: "1.2.1",
        commit: "04b51a3c10bf4416f3815b630a35fc35e20a38d1",
        files: &[
            file(
                "Android/arm64-v8a",
                "471639b60c2c7fdcb2c8dffd553acc8548d10c2e",
            ),
            file(
                "Android/armeabi-v7a",
                "b7310ed2a1c1c054adf82c8883d9b339b5e7d1a0",
            ),
            file("Linux/aarch64", "8ed9cca16f8d5ad8f7cdd7d393de6561182b3395"),
            file("Linux/armhf", "d5953fdad6e60521f1dc696f6d638425c93ba08d"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.2.3",
        published: "1.2.3",
        group: "1.2.1",
        commit: "f7df8e5de9b40dc7aaa66194cf14d4895aaf159a",
        files: &[
            file(
                "Android/arm64-v8a",
                "348986e7a8170ddb2c3b43e99257d2e64d9699f6",
            ),
            file(
                "Android/armeabi-v7a",
                "d53acaf083edd95a1bac3513cc5c5241c1cc272c",
            ),
            file("Linux/aarch64", "0084abc34ab43359cfa9fd5d4c92ece34127dbd0"),
            file("Linux/armhf", "fe1ca6849603a770c54f82d26b826a120c79a01a"),
        ],
        folder: FOLDER,
    },
    Release {
        name: "1.3.0",
        published: "1.3.0",
        group: "1.3.0",
        commit: "878f9361fd3afa7e167b7079918918f78d2c1c2a",
        files: &[
            file(
                "Android/arm64-v8a",
                "5f0bd5f39bd05263a59786733687d29e66982aa6",
            ),
            file(
                "Android/armeabi-v7a",
                "f96c82ba91731e14905d95bda44555b191dbe996",
            ),
            file("Linux/aarch64", "34167b32f99cb7ab19e21fb579fb750d96b878f1"),
            file("Linux/armhf", "17c9063b46168c4e7d093d6fedb097874f92d076"),
        ],
        folder: FOLDER,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::abi;
    use serde_json::Value;
    use std::path::Path;

    #[test]
    fn the_table_is_the_vendors_list() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vendor/files.json");
        let facts: Value = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap(),
            Err(error) => {
                eprintln!(
                    "SKIPPED: the list of official files is not here: {}: {error}",
                    path.display()
                );
                return;
            }
        };
        assert_eq!(facts["repository"], REPOSITORY);
        let facts = facts["files"].as_array().unwrap();
        let count: usize = RELEASES.iter().map(|release| release.files.len()).sum();
        assert_eq!((facts.len(), count), (36, 36));
        for fact in facts {
            let hex = fact["git_blob_sha1"].as_str().unwrap();
            let found = official(&bytes(hex)).unwrap();
            let release = found.release;
            assert_eq!(fact["release"], release.published);
            assert_eq!(
                release.name,
                release.published.split('-').next().unwrap(),
                "users leave out the -beta"
            );
            assert_eq!(fact["group"], release.group);
            assert_eq!(fact["commit"], release.commit);
            assert_eq!(fact["path"], found.path());
            assert_eq!(fact["platform"], found.file.platform);
        }
    }

    #[test]
    fn groups_are_those_of_the_layouts_in_order() {
        let layouts: Vec<_> = abi::GROUPS.iter().map(|group| group.name).collect();
        assert_eq!(groups().collect::<Vec<_>>(), layouts);
        assert_eq!(group_of("1.0.2"), Some("1.0.1"));
        assert_eq!(group_of("1.2.3"), Some("1.2.1"));
        assert_eq!(group_of("1.0.2-beta"), Some("1.0.1"));
        assert_eq!(group_of("1.3.1"), None);
        assert!(official(&[0; 20]).is_none());
    }
}
