//! Downloads over HTTP.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, ResponseExt, Timeout};

use super::Progress;
use super::place::{Failure, read_all};

const CONNECT: Duration = Duration::from_secs(15);
const REDIRECTS: u32 = 5;

/// Names a file with the certificates to trust, where a network has its own.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// The body of a successful answer. Proxies are taken from the environment.
pub(super) fn fetch(
    url: &str,
    stall: Duration,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let tls = TlsConfig::builder().root_certs(certificates()?).build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(REDIRECTS)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_per_read(Some(stall))
        .timeout_per_write(Some(stall))
        .user_agent(concat!("rkchat/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut answer = agent
        .get(url)
        .call()
        .map_err(|error| failure(error, stall))?;
    let status = answer.status();
    if !status.is_success() {
        let from = answer.get_uri().to_string();
        let from = if from == url {
            String::new()
        } else {
            format!(" at {from}")
        };
        return Err(Failure::Other(format!(
            "the server answered {status}{from}"
        )));
    }
    let body = answer.body_mut();
    let length = body.content_length();
    let said = |error: io::Error| failure(error.into(), stall);
    read_all(body.as_reader(), length, said, progress)
}

/// What went wrong, in words that help someone who waits for a download.
fn failure(error: ureq::Error, stall: Duration) -> Failure {
    match error {
        ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
            Failure::TimedOut(format!("the server sent nothing for {stall:?}"))
        }
        ureq::Error::Timeout(_) => {
            Failure::TimedOut(format!("there was no connection within {CONNECT:?}"))
        }
        ureq::Error::TooManyRedirects => {
            Failure::Other(format!("it was redirected more than {REDIRECTS} times"))
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => Failure::NoAddress,
        ureq::Error::Io(error) => Failure::Other(match error.kind() {
            io::ErrorKind::UnexpectedEof => "the connection was closed too early".to_owned(),
            // What rustls says comes as this.
            io::ErrorKind::InvalidData => format!(
                "{error} (where a network has certificates of its own, name their file in {CERTIFICATES})"
            ),
            _ => error.to_string(),
        }),
        error => Failure::Other(error.to_string()),
    }
}

/// The certificates that are trusted: Mozilla's, or those the user named.
fn certificates() -> Result<RootCerts, Failure> {
    let Some(path) = env::var_os(CERTIFICATES).filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let path = PathBuf::from(path);
    let unusable = |what: String| {
        Failure::Other(format!(
            "{}, named in {CERTIFICATES}: {what}",
            path.display()
        ))
    };
    let pem = fs::read(&path).map_err(|error| unusable(error.to_string()))?;
    let mut trusted = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| unusable(error.to_string()))?
        {
            trusted.push(certificate);
        }
    }
    if trusted.is_empty() {
        return Err(unusable("it has no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&trusted))
}
