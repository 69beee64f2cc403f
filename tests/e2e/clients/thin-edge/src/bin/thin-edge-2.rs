//! Trust as thin-edge.io 2.0.1 loads it: rustls 0.23, rustls-native-certs 0.8, PEM read by rustls-pki-types, reqwest 0.12.

use std::io;
use std::path::Path;
use std::sync::Arc;

use reqwest_2::{Certificate as Trusted, Client};
use rustls_2::pki_types::pem::PemObject;
use rustls_2::pki_types::{CertificateDer, ServerName};
use rustls_2::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use thin_edge::{
    ask, files_of_https, files_of_the_bridge, finish, ignoring, refusal, Part, Task, PATIENCE,
};

fn main() {
    let task = Task::of_arguments();
    rustls_2::crypto::ring::default_provider()
        .install_default()
        .expect("the first provider");
    match task.part {
        Part::Bridge => bridge(&task),
        Part::Https => https(&task),
    }
}

fn bridge(task: &Task) {
    // Loaded first, which ends the process where the system's store is broken, and not asked for trust.
    rustls_native_certs_2::load_native_certs().expect("could not load platform certs");
    let config = ClientConfig::builder()
        .with_root_certificates(roots_of_the_bridge(&task.root_cert_path))
        .with_no_client_auth();
    let name = ServerName::try_from(task.host.clone()).expect("a name");
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
                    .add(each)
                    .unwrap_or_else(|error| ignoring(&file, &error));
            }),
            Err(error) => ignoring(&file, &error),
        }
    }
    roots
}

/// The system's store is what the client begins with; what it does not take of ours ends the process.
fn https(task: &Task) {
    let mut builder = Client::builder().no_proxy().timeout(PATIENCE);
    for each in trust_store(&task.root_cert_path).unwrap_or_else(thin_edge::unreadable) {
        builder = builder.add_root_certificate(each);
    }
    let client = builder
        .build()
        .expect("Valid reqwest client builder configuration");
    finish(thin_edge::run(async {
        let response = client.get(task.url()).send().await.map_err(refusal)?;
        response.text().await.map_err(refusal)
    }));
}

/// One bad file and all of the folder is dropped.
fn trust_store(path: &Path) -> io::Result<Vec<Trusted>> {
    let mut all = Vec::new();
    for file in files_of_https(path)? {
        for der in certificates(&file)? {
            all.push(Trusted::from_der(&der).expect("a certificate"));
        }
    }
    Ok(all)
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(|sections| sections.collect())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
