//! From files and folders, and what can be asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rkchat::ErrorKind;
use rkchat::vendor::get::{GetRequest, What};
use rkchat::vendor::store::Store;

use crate::{AARCH64, ARMHF, LICENCE, Place, library, says};

const NOWHERE: &str = "https://vendor.invalid/repository/";

#[test]
fn a_file_and_the_licence_beside_it() {
    let place = Place::new(NOWHERE);
    let from = place.file("download/any-name.so", &library(114));
    place.file("download/LICENSE", LICENCE.as_bytes());
    let fetched = place.get("1.1.4", Some(&from)).unwrap();
    assert!(fetched.fetched && fetched.notes.is_empty(), "{fetched:?}");
    assert_eq!(fetched.path, place.target("1.1.4"));
    assert_eq!(fs::read(&fetched.path).unwrap(), library(114));
    assert_eq!(place.stored("1.1.4"), ["LICENSE", "librkllmrt.so"]);
    let mode = fs::metadata(&fetched.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);

    let listed = place.store.list().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].path, fetched.path);

    fs::remove_file(from).unwrap();
    let again = place.get("v1.1.4", None).unwrap();
    assert!(!again.fetched);
    assert_eq!(again.path, fetched.path);
}

#[test]
fn without_a_licence_its_address_is_stored() {
    let place = Place::new(NOWHERE);
    let from = place.file("librkllmrt.so", &library(114));
    let fetched = place.get("1.1.4", Some(&from)).unwrap();
    assert_eq!(place.stored("1.1.4"), ["LICENSE.url", "librkllmrt.so"]);
    let address = fs::read_to_string(fetched.path.with_file_name("LICENSE.url")).unwrap();
    assert_eq!(address, "https://vendor.invalid/repository/1.1.4/LICENSE\n");

    // Got again, with its licence.
    fs::write(&fetched.path, "damaged").unwrap();
    place.file("LICENSE", LICENCE.as_bytes());
    place.get("1.1.4", Some(&from)).unwrap();
    assert_eq!(place.stored("1.1.4"), ["LICENSE", "librkllmrt.so"]);
}

#[test]
fn a_folder_as_the_repository_or_flat() {
    let place = Place::new(NOWHERE);
    place.file(&format!("clone/{AARCH64}"), &library(121));
    place.file("clone/LICENSE", LICENCE.as_bytes());
    place.file("flat/librkllmrt.so", &library(114));
    let folder = |name: &str| place.folder.path().join(name).to_str().unwrap().to_owned();

    let fetched = place.get("1.2.1", Some(&folder("clone"))).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), library(121));
    assert_eq!(place.stored("1.2.1"), ["LICENSE", "librkllmrt.so"]);
    place.get("1.1.4", Some(&folder("flat"))).unwrap();

    fs::create_dir(folder("empty")).unwrap();
    let error = place.get("1.1.2", Some(&folder("empty"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["empty/librkllmrt.so", AARCH64]);
    let error = place.get("1.1.2", Some(&folder("missing"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(place.stored("1.1.2").is_empty());
}

#[test]
fn only_the_published_bytes_are_accepted() {
    let place = Place::new(NOWHERE);
    let mut damaged = library(114);
    damaged[200_000] ^= 1;
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n";
    for (bytes, what) in [
        (damaged, "another one or a damaged one"),
        (library(112), "is runtime 1.1.2 for Linux/aarch64"),
        (pointer.to_vec(), "Git LFS pointer"),
        (
            b"\n<!DOCTYPE HTML><title>Sign in</title>".to_vec(),
            "HTML page",
        ),
        (b"".to_vec(), "is empty"),
        (b"text".to_vec(), "not a library at all"),
    ] {
        let from = place.file("librkllmrt.so", &bytes);
        let error = place.get("1.1.4", Some(&from)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
        let size = format!("{} bytes", bytes.len());
        says(&error, &[&from, what, &size, "Nothing was stored"]);
        let details = error.details();
        says(&error, &[details["expected_sha1"].as_str().unwrap()]);
        says(&error, &[details["found_sha1"].as_str().unwrap()]);
        assert!(place.stored("1.1.4").is_empty(), "{what}");
    }
}

#[test]
fn a_wrong_file_in_the_store_is_replaced_by_a_right_one_only() {
    let place = Place::new(NOWHERE);
    let target = place.file("store/1.1.4/librkllmrt.so", b"something else");
    let wrong = place.file("wrong.so", &library(112));
    place.get("1.1.4", Some(&wrong)).unwrap_err();
    assert_eq!(fs::read(&target).unwrap(), b"something else");

    let right = place.file("right.so", &library(114));
    let fetched = place.get("1.1.4", Some(&right)).unwrap();
    assert_eq!(fs::read(&target).unwrap(), library(114));
    let [note] = &fetched.notes[..] else {
        panic!("{fetched:?}")
    };
    assert!(
        note.contains(&target) && note.contains("replaced"),
        "{note}"
    );
}

#[test]
fn what_a_killed_download_left_is_gone_after_the_next() {
    let place = Place::new(NOWHERE);
    place.file("store/1.1.4/.rkchat-unfinished-1-0", b"half");
    let from = place.file("right.so", &library(114));
    place.get("1.1.4", Some(&from)).unwrap();
    assert_eq!(place.stored("1.1.4"), ["LICENSE.url", "librkllmrt.so"]);
}

#[test]
fn unknown_releases_and_platforms_are_named_with_the_known() {
    let place = Place::new(NOWHERE);
    for release in ["1.4.0", "latest", "../1.1.4", ""] {
        let error = place.get(release, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        says(
            &error,
            &[&format!("{release:?}"), "1.1.2, 1.1.4, 1.2.1, 1.3.0"],
        );
    }
    let armhf = |platform: &str, what| {
        place.request(GetRequest {
            what,
            from: None,
            platform: Some(platform.to_owned()),
            progress: None,
        })
    };
    let error = armhf("Linux/armhf", What::Release("1.1.4".into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    says(&error, &["1.1.4", "only for Linux/aarch64", "1.2.1, 1.3.0"]);
    for what in [
        What::Release("1.2.1".into()),
        What::ForModel("1.2.1".into()),
    ] {
        let error = armhf("Linux/riscv64", what).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        says(&error, &["Linux/riscv64", "Linux/aarch64, Linux/armhf"]);
    }
    let error = armhf("Linux/armhf", What::ForModel("1.0.1".into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
    let error = armhf("Linux/armhf", What::ForModel("new".into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = place
        .get("1.1.4", Some("ftp://vendor.invalid/"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(!place.folder.path().join("store").exists());
}

#[test]
fn the_best_release_for_a_model_is_taken() {
    let mut place = Place::new(NOWHERE);
    let from = place.file("114.so", &library(114));
    let armhf = place.file("1210.so", &library(1210));
    let get = |place: &Place, model: &str, from: &str| {
        place.request(GetRequest {
            what: What::ForModel(model.to_owned()),
            from: Some(from.to_owned()),
            platform: None,
            progress: None,
        })
    };
    let fetched = get(&place, "1.1.3", &from).unwrap();
    assert_eq!(fetched.release, "1.1.4");
    assert_eq!(
        fetched.notes,
        ["runtime 1.1.4 for a model of version 1.1.3: the same minor version and not older"]
    );
    // The 32-bit board has no runtime of 1.1.
    place.processor = "arm";
    let fetched = get(&place, "1.1.4", &armhf).unwrap();
    assert_eq!(
        (fetched.release, fetched.platform),
        ("1.2.1", "Linux/armhf")
    );
    assert_eq!(fetched.path, place.target("1.2.1"));
}

#[test]
fn other_platforms_have_folders_of_their_own() {
    let mut place = Place::new(NOWHERE);
    let armhf = place.file(&format!("clone/{ARMHF}"), &library(1210));
    let aarch64 = place.file("aarch64.so", &library(121));
    place.processor = "x86_64";
    let get = |platform: Option<&str>, from: &str| {
        let request = GetRequest {
            what: What::Release("1.2.1".to_owned()),
            from: Some(from.to_owned()),
            platform: platform.map(str::to_owned),
            progress: None,
        };
        place.request(request).unwrap()
    };
    let fetched = get(Some("Linux/armhf"), &armhf);
    let folder = place.target("1.2.1").with_file_name("Linux-armhf");
    assert_eq!(fetched.path, folder.join("librkllmrt.so"));
    assert!(fetched.notes.is_empty());
    // It is not one that this machine's search should see.
    assert!(place.store.list().unwrap().is_empty());

    let fetched = get(None, &aarch64);
    assert_eq!(fetched.path, place.target("1.2.1"));
    let [note] = &fetched.notes[..] else {
        panic!("{fetched:?}")
    };
    assert!(
        note.contains("x86_64") && note.contains("Linux/aarch64"),
        "{note}"
    );
}

#[test]
fn many_at_once_agree_and_nobody_sees_a_half() {
    let place = Place::new(NOWHERE);
    let from = place.file("right.so", &library(114));
    let wrong = place.file("wrong.so", &library(112));
    let target = place.file("store/1.1.4/librkllmrt.so", &library(112));
    let (whole, old) = (library(114), library(112));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = fs::read(&target).unwrap();
                assert!(seen == whole || seen == old, "{} bytes", seen.len());
            }
        });
        let getters: Vec<_> = (0..16)
            .map(|number| {
                let (place, from, wrong, whole) = (&place, &from, &wrong, &whole);
                scope.spawn(move || {
                    if number % 4 == 0 {
                        // The right one may be there already; a wrong one is never left.
                        let _ = place.get("1.1.4", Some(wrong));
                    } else {
                        let fetched = place.get("1.1.4", Some(from)).unwrap();
                        assert_eq!(&fs::read(fetched.path).unwrap(), whole);
                    }
                })
            })
            .collect();
        let ended: Vec<_> = getters.into_iter().map(|getter| getter.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    assert_eq!(place.stored("1.1.4"), ["LICENSE.url", "librkllmrt.so"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let mut place = Place::new(NOWHERE);
    let from = place.file("right.so", &library(114));
    let folder = place.folder.path().join("read-only");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    // Permissions do not stop root, but nobody makes folders in /sys.
    let root = fs::write(folder.join("probe"), "").is_ok();
    let folder = if root { PathBuf::from("/sys") } else { folder };
    place.store = Store::at(folder.join("rkchat-test"));
    let error = place.get("1.1.4", Some(&from)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    says(
        &error,
        &[
            folder.to_str().unwrap(),
            "cannot be written",
            "XDG_DATA_HOME",
        ],
    );
}

#[cfg(not(feature = "fetch"))]
#[test]
fn a_build_without_http_says_so() {
    let place = Place::new(NOWHERE);
    let error = place.get("1.1.4", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    says(
        &error,
        &[
            "fetch",
            "--from FILE",
            "https://vendor.invalid/repository/1.1.4/",
        ],
    );
    assert!(place.stored("1.1.4").is_empty());
}
