//! Judges each case below a folder with rustls's own verifier: "NUMBER yes|no REASON".

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

fn main() {
    let cases = std::env::args().nth(1).expect("a folder");
    for number in 0.. {
        let folder = Path::new(&cases).join(number.to_string());
        if !folder.is_dir() {
            return;
        }
        match judge(&folder) {
            Ok(()) => println!("{number} yes "),
            Err(reason) => println!("{number} no {}", reason.replace('\n', " ")),
        }
    }
}

fn judge(folder: &Path) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for root in certificates(&folder.join("roots.pem")) {
        // What is no anchor for rustls is passed over, as rustls-native-certs' users do.
        let _ = roots.add(root);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())?;
    let chain = certificates(&folder.join("chain.pem"));
    let host = read(folder, "host");
    let unnamed = host.is_empty();
    let name = ServerName::try_from(if unnamed { "unnamed.invalid".into() } else { host })
        .map_err(|error| error.to_string())?;
    let seconds = read(folder, "time").parse().expect("seconds");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    match verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now) {
        Ok(_) => Ok(()),
        // The name is checked last.
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) if unnamed => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    let data = fs::read(file).expect("a file");
    CertificateDer::pem_slice_iter(&data).map(|each| each.expect("PEM")).collect()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect(name)
}
