//! What both generations share: the files that a setting leads to, and one request to the server.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

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

/// Asks over TLS, which makes the handshake, and tells how it ended; `error` is then rustls' own.
pub fn ask(mut stream: impl Read + Write) {
    let mut answer = String::new();
    let done = stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .and_then(|()| stream.flush())
        .and_then(|()| stream.read_to_string(&mut answer));
    match done {
        _ if answer.ends_with("hello") => println!("connected"),
        Ok(_) => println!("an answer without hello: {answer:?}"),
        Err(error) => println!("refused: {error}"),
    }
}
