//! A small HTTP server that also answers wrongly.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Writes the whole answer, headers and all. Its failures are those of a client that hung up.
pub type Answer = Box<dyn Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync>;

/// Runs until the test program ends.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the given paths, and others with 404.
    pub fn new(answers: Vec<(&str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let answers = answers
            .into_iter()
            .map(|(path, answer)| (path.to_owned(), answer));
        let answers: Arc<HashMap<String, Answer>> = Arc::new(answers.collect());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, heard) = (Arc::clone(&answers), Arc::clone(&heard));
                thread::spawn(move || serve(stream.expect("a connection"), &answers, &heard));
            }
        });
        Self { address, asked }
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answers: &HashMap<String, Answer>, heard: &Mutex<Vec<String>>) {
    let reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut lines = reader.lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).expect("a path").to_owned();
    heard.lock().unwrap().push(path.clone());
    let _ = match answers.get(&path) {
        Some(answer) => answer(&mut stream),
        None => head(&mut stream, "404 Not Found", "Content-Length: 0"),
    };
}

/// The status line and the headers.
pub fn head(stream: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n\r\n"
    )
}

/// A whole answer.
pub fn whole(bytes: Vec<u8>) -> Answer {
    cut(bytes.clone(), bytes.len())
}

/// Announces a length, and sends these bytes.
pub fn cut(bytes: Vec<u8>, announced: usize) -> Answer {
    Box::new(move |stream| {
        head(stream, "200 OK", &format!("Content-Length: {announced}"))?;
        stream.write_all(&bytes)
    })
}

/// Sends the bytes in chunks, and the chunk that ends them only if asked to.
pub fn chunked(bytes: Vec<u8>, ends: bool) -> Answer {
    Box::new(move |stream| {
        head(stream, "200 OK", "Transfer-Encoding: chunked")?;
        for chunk in bytes.chunks(50_000) {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        if ends {
            stream.write_all(b"0\r\n\r\n")
        } else {
            Ok(())
        }
    })
}

/// Sends chunks until the client hangs up.
pub fn endless() -> Answer {
    Box::new(|stream| {
        head(stream, "200 OK", "Transfer-Encoding: chunked")?;
        let chunk = vec![0; 1 << 20];
        loop {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(&chunk)?;
            stream.write_all(b"\r\n")?;
        }
    })
}

/// Sends these bytes of a larger answer, and no more until the client hangs up.
pub fn stalling(start: &'static [u8]) -> Answer {
    Box::new(move |stream| {
        stream.write_all(start)?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).map(drop)
    })
}

/// Sends the client elsewhere.
pub fn redirect(to: String) -> Answer {
    Box::new(move |stream| {
        head(
            stream,
            "302 Found",
            &format!("Location: {to}\r\nContent-Length: 0"),
        )
    })
}
