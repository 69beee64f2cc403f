//! What both generations share: the files that a setting leads to, and one request to the server.

use std::error::Error;
use std::fs;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Which part of thin-edge.io is played, and where it finds its trust and its server.
pub struct Task {
    pub part: Part,
    pub root_cert_path: PathBuf,
    pub host: String,
    pub port: u16,
}

pub enum Part {
    /// The built-in MQTT bridge: trusts `root_cert_path` alone.
    Bridge,
    /// HTTPS to the cloud: trusts `root_cert_path` and the store of the system.
    Https,
}

impl Task {
    /// `bridge|https ROOT_CERT_PATH HOST PORT`
    pub fn of_arguments() -> Task {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let [part, root_cert_path, host, port] = words.as_slice() else {
            panic!("usage: bridge|https ROOT_CERT_PATH HOST PORT");
        };
        Task {
            part: match part.as_str() {
                "bridge" => Part::Bridge,
                "https" => Part::Https,
                _ => panic!("no part is called {part}"),
            },
            root_cert_path: root_cert_path.into(),
            host: host.clone(),
            port: port.parse().expect("a port"),
        }
    }

    pub fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    pub fn url(&self) -> String {
        format!("https://{}:{}/", self.host, self.port)
    }
}

/// The built-in bridge's rule: every file of any name, in subfolders too, links followed.
pub fn files_of_the_bridge(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        match files_of_the_bridge(&entry) {
            Ok(found) => files.extend(found),
            Err(error) => ignoring(&entry, &error),
        }
    }
    Ok(files)
}

/// The rule of HTTPS: the file, or the files of the folder and not those of its subfolders, links followed.
pub fn files_of_https(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        if !fs::metadata(&entry)?.is_dir() {
            files.push(entry);
        }
    }
    Ok(files)
}

pub fn ignoring(path: &Path, error: &dyn std::fmt::Display) {
    eprintln!("Ignoring certificates in {}: {error}", path.display());
}

/// What HTTPS does with a `root_cert_path` that it cannot read: it goes on without.
pub fn unreadable<T>(error: io::Error) -> Vec<T> {
    eprintln!("Unable to read certificates from c8y.root_cert_path: {error}");
    Vec::new()
}

/// Asks over TLS, which makes the handshake, and tells how it ended.
pub fn ask(mut stream: impl Read + Write) {
    let mut answer = String::new();
    let done = stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .and_then(|()| stream.flush())
        .and_then(|()| stream.read_to_string(&mut answer));
    finish(match done {
        // The server closes the connection without a word to rustls, which is an error then.
        Err(error) if answer.is_empty() => Err(error.to_string()),
        _ => Ok(answer),
    });
}

/// Runs an asynchronous client to its end.
pub fn run<T>(client: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(client)
}

/// All that an error of reqwest says; the last of its sources is rustls' own.
pub fn refusal(error: impl Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(each) = source {
        said += &format!(": {each}");
        source = each.source();
    }
    said
}

/// Tells how it ended.
pub fn finish(answer: Result<String, String>) {
    match answer {
        Ok(text) if text.ends_with("hello") => println!("connected"),
        Ok(text) => println!("an answer without hello: {text:?}"),
        Err(said) => println!("refused: {said}"),
    }
}
