//! Trust as thin-edge.io 1.4.1 loads it: rustls 0.21, rustls-native-certs 0.6, rustls-pemfile 1.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_1::{
    Certificate, ClientConfig, ClientConnection, RootCertStore, ServerName, StreamOwned,
};
use thin_edge::{ask, files_of_https, files_of_the_bridge, ignoring, Part, Task};

fn main() {
    let task = Task::of_arguments();
    let roots = match task.part {
        Part::Bridge => roots_of_the_bridge(&task.root_cert_path),
        Part::Https => roots_of_https(&task.root_cert_path),
    };
    let config = ClientConfig::builder()
        .with_safe_defaults()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(task.host.as_str()).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    ask(StreamOwned::new(
        connection,
        task.connect().expect("the server"),
    ));
}

/// What is bad is passed over; an empty store is no error.
fn roots_of_the_bridge(path: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for file in files_of_the_bridge(path).expect("root_cert_path") {
        match certificates(&file) {
            Ok(found) => found.into_iter().for_each(|each| {
                roots
                    .add(&each)
                    .unwrap_or_else(|error| ignoring(&file, &error));
            }),
            Err(error) => ignoring(&file, &error),
        }
    }
    roots
}

/// One bad file and all of the folder is dropped; what rustls does not take ends the process.
fn roots_of_https(path: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    match trust_store(path) {
        Ok(found) => found.iter().for_each(|each| {
            roots
                .add(each)
                .expect("Valid reqwest client builder configuration")
        }),
        Err(error) => eprintln!("Unable to read certificates from c8y.root_cert_path: {error}"),
    }
    let system = rustls_native_certs_1::load_native_certs().expect("could not load platform certs");
    roots.add_parsable_certificates(&system.into_iter().map(|each| each.0).collect::<Vec<_>>());
    roots
}

fn trust_store(path: &Path) -> io::Result<Vec<Certificate>> {
    let mut all = Vec::new();
    for file in files_of_https(path)? {
        all.extend(certificates(&file)?);
    }
    Ok(all)
}

fn certificates(file: &Path) -> io::Result<Vec<Certificate>> {
    let ders = rustls_pemfile_1::certs(&mut fs::read(file)?.as_slice())?;
    Ok(ders.into_iter().map(Certificate).collect())
}
