//! Trust as thin-edge.io 2.0.1 loads it: rustls 0.23, rustls-native-certs 0.8, PEM read by rustls-pki-types.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_2::pki_types::pem::PemObject;
use rustls_2::pki_types::{CertificateDer, ServerName};
use rustls_2::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use thin_edge::{ask, files_of_https, files_of_the_bridge, ignoring, Part, Task};

fn main() {
    let task = Task::of_arguments();
    // Loaded by the bridge as well, which then ends where the system's store is broken, and is not asked for trust.
    let system = rustls_native_certs_2::load_native_certs().expect("could not load platform certs");
    let roots = match task.part {
        Part::Bridge => roots_of_the_bridge(&task.root_cert_path),
        Part::Https => roots_of_https(&task.root_cert_path, system),
    };
    let provider = Arc::new(rustls_2::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
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

/// One bad file and all of the folder is dropped; what rustls does not take ends the process.
fn roots_of_https(path: &Path, system: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    match trust_store(path) {
        Ok(found) => found.into_iter().for_each(|each| {
            roots
                .add(each)
                .expect("Valid reqwest client builder configuration")
        }),
        Err(error) => eprintln!("Unable to read certificates from c8y.root_cert_path: {error}"),
    }
    roots.add_parsable_certificates(system);
    roots
}

fn trust_store(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut all = Vec::new();
    for file in files_of_https(path)? {
        all.extend(certificates(&file)?);
    }
    Ok(all)
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(|sections| sections.collect())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
