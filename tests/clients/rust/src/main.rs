//! Prints each certificate that rustls-native-certs loads, as hexadecimal DER, one a line, and "end". Most callers use
//! what was loaded despite errors.

fn main() {
    for certificate in &rustls_native_certs::load_native_certs().certs {
        let digits: String = certificate.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{digits}");
    }
    println!("end");
}
