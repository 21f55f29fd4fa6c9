//! Over HTTP, from a server that is right, wrong, slow or cut off.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use rkchat::vendor::get::{GetRequest, What};
use rkchat::{Error, ErrorKind};

use crate::server::{Answer, Server, chunked, cut, endless, head, redirect, stalling, whole};
use crate::{LICENCE, Place, library, says};

const LIBRARY_PATH: &str = "/1.1.4/runtime/Linux/aarch64/librkllmrt.so";
const LICENCE_PATH: &str = "/1.1.4/LICENSE";

/// A vendor's repository whose library is answered like this.
fn vendor(answer: Answer) -> (Server, Place) {
    let licence = whole(LICENCE.as_bytes().to_vec());
    let server = Server::new(vec![(LIBRARY_PATH, answer), (LICENCE_PATH, licence)]);
    let place = Place::new(&server.address);
    (server, place)
}

/// The error of getting 1.1.4 from it, which stores nothing.
fn refused(answer: Answer, stall: Duration) -> (Error, Server) {
    let (server, mut place) = vendor(answer);
    place.stall = stall;
    let error = place.get("1.1.4", None).unwrap_err();
    assert!(
        place.stored("1.1.4").is_empty(),
        "{:?}",
        place.stored("1.1.4")
    );
    assert!(!place.target("1.1.4").parent().unwrap().exists());
    let url = format!("{}{LIBRARY_PATH}", server.address);
    says(&error, &[&url, "Nothing was stored"]);
    (error, server)
}

const PATIENT: Duration = Duration::from_secs(30);

#[test]
fn library_and_licence_are_stored() {
    for answer in [whole(library(114)), chunked(library(114), true)] {
        let (server, place) = vendor(answer);
        let fetched = place.get("1.1.4", None).unwrap();
        assert!(fetched.fetched);
        assert_eq!(fs::read(&fetched.path).unwrap(), library(114));
        let licence = fetched.path.with_file_name("LICENSE");
        assert_eq!(fs::read_to_string(licence).unwrap(), LICENCE);
        assert_eq!(server.asked(), [LIBRARY_PATH, LICENCE_PATH]);

        assert!(!place.get("1.1.4", None).unwrap().fetched);
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn progress_is_told_and_can_end_it() {
    let (_server, place) = vendor(whole(library(114)));
    let get = |progress: &mut dyn FnMut(u64, Option<u64>) -> rkchat::Result<()>| {
        place.request(GetRequest {
            what: What::Release("1.1.4".to_owned()),
            from: None,
            platform: None,
            progress: Some(progress),
        })
    };
    let error = get(&mut |done, _| {
        if done > 100_000 {
            return Err(Error::invalid_argument("enough"));
        }
        Ok(())
    });
    assert_eq!(error.unwrap_err().message(), "enough");
    assert!(place.stored("1.1.4").is_empty());

    let mut seen = Vec::new();
    get(&mut |done, total| {
        seen.push((done, total));
        Ok(())
    })
    .unwrap();
    assert!(seen.is_sorted() && seen.len() > 2, "{seen:?}");
    assert_eq!(seen.first(), Some(&(0, Some(300_000))));
    assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
}

#[test]
fn a_library_or_a_copy_of_the_repository_can_be_named() {
    let server = Server::new(vec![
        (
            "/mirror/1.1.4/runtime/Linux/aarch64/librkllmrt.so",
            whole(library(114)),
        ),
        ("/mirror/1.1.4/LICENSE", whole(LICENCE.as_bytes().to_vec())),
        ("/files/any.so?token=1", whole(library(112))),
    ]);
    let place = Place::new("https://vendor.invalid/repository");
    let base = format!("{}/mirror/", server.address);
    place.get("1.1.4", Some(&base)).unwrap();
    assert_eq!(place.stored("1.1.4"), ["LICENSE", "librkllmrt.so"]);
    let file = format!("{}/files/any.so?token=1", server.address);
    place.get("1.1.2", Some(&file)).unwrap();
    assert_eq!(place.stored("1.1.2"), ["LICENSE.url", "librkllmrt.so"]);
    assert_eq!(server.asked().len(), 3);

    for from in ["http://", "https://two words/"] {
        let error = place.get("1.2.1", Some(from)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn a_licence_that_cannot_be_had_is_no_error() {
    let page = whole(b"<html>Sign in</html>".to_vec());
    for licence in [None, Some(page), Some(cut(b"half".to_vec(), 100))] {
        let mut answers = vec![(LIBRARY_PATH, whole(library(114)))];
        answers.extend(licence.map(|licence| (LICENCE_PATH, licence)));
        let server = Server::new(answers);
        let place = Place::new(&server.address);
        place.get("1.1.4", None).unwrap();
        assert_eq!(place.stored("1.1.4"), ["LICENSE.url", "librkllmrt.so"]);
    }
}

#[test]
fn a_cut_download_is_not_taken() {
    let half = library(114)[..150_000].to_vec();
    for answer in [cut(half.clone(), 300_000), chunked(half.clone(), false)] {
        let (error, server) = refused(answer, PATIENT);
        assert_eq!(error.kind(), ErrorKind::Io);
        let by_hand = format!(
            "download {}{LIBRARY_PATH} on another machine",
            server.address
        );
        says(
            &error,
            &[
                "closed too early",
                "rkchat runtime get 1.1.4 --from FILE",
                &by_hand,
            ],
        );
    }
    // One that ends as if it were whole.
    let (error, _) = refused(chunked(half, true), PATIENT);
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
    says(&error, &["150000 bytes"]);
}

#[test]
fn wrong_bytes_are_not_taken() {
    let (error, _) = refused(whole(library(1)), PATIENT);
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
    assert_eq!(error.details()["size"], 300_000);
    let page = b"<html><body>Please sign in</body></html>".to_vec();
    let (error, _) = refused(whole(page), PATIENT);
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
    says(&error, &["HTML page"]);
}

#[test]
fn what_is_too_large_is_given_up() {
    for answer in [endless(), cut(Vec::new(), 1 << 30)] {
        let (error, _) = refused(answer, PATIENT);
        assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
        says(&error, &["64 MB"]);
    }
}

#[test]
fn a_server_that_says_no_more_is_given_up() {
    for start in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n\x7fELF",
    ] {
        let (error, _) = refused(stalling(start), Duration::from_millis(200));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        says(&error, &["sent nothing for 200ms", "--from FILE"]);
    }
}

#[test]
fn a_slow_server_is_waited_for() {
    // Longer than the stall time as a whole, and never as long between two parts.
    let (_server, mut place) = vendor(Box::new(|stream| {
        let library = library(114);
        head(
            stream,
            "200 OK",
            &format!("Content-Length: {}", library.len()),
        )?;
        for part in library.chunks(20_000) {
            stream.write_all(part)?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }));
    place.stall = Duration::from_millis(1_200);
    place.get("1.1.4", None).unwrap();
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let elsewhere = Server::new(vec![("/there", whole(library(114)))]);
    let (_server, place) = vendor(redirect(format!("{}/there", elsewhere.address)));
    place.get("1.1.4", None).unwrap();

    let (error, server) = refused(redirect(LIBRARY_PATH.to_owned()), PATIENT);
    assert_eq!(error.kind(), ErrorKind::Io);
    says(&error, &["redirected more than 5 times"]);
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn other_answers_are_named() {
    for status in [
        "404 Not Found",
        "403 Forbidden",
        "500 Internal Server Error",
    ] {
        let answer: Answer = Box::new(move |stream| head(stream, status, "Content-Length: 0"));
        let (error, _) = refused(answer, PATIENT);
        assert_eq!(error.kind(), ErrorKind::Io);
        says(&error, &[status, "--from FILE"]);
    }
    let (error, _) = refused(
        Box::new(|stream| stream.write_all(b"220 ftp\r\n\r\n")),
        PATIENT,
    );
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let place = Place::new(&address);
    let error = place.get("1.1.4", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    says(
        &error,
        &[
            &address,
            "refused",
            "--from FILE",
            place.target("1.1.4").to_str().unwrap(),
        ],
    );
}

#[test]
fn many_at_once_agree() {
    let (_server, place) = vendor(whole(library(114)));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let fetched = place.get("1.1.4", None).unwrap();
                assert_eq!(fs::read(fetched.path).unwrap(), library(114));
            });
        }
    });
    assert_eq!(place.stored("1.1.4"), ["LICENSE", "librkllmrt.so"]);
}
