//! Encrypted connections: rustls with a certificate from files.

use crate::config::Tls;
use crate::serve::ServeError;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The most bytes of a file.
const BYTES_MAX: u64 = 1 << 20;

/// What makes encrypted connections, with HTTP/2 for those who speak it.
pub(crate) fn acceptor(files: &Tls) -> Result<TlsAcceptor, ServeError> {
    let certificates = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?);
    let key = key.map_err(|error| wrong(&files.key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites of both versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| wrong(&files.key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificates in a file in PEM, of which there is one at least.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let found = found.map_err(|error| wrong(path, &error))?;
    if found.is_empty() {
        return Err(wrong(path, &"there is no certificate in it"));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(path, &error))?;
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|error| wrong(path, &error))?;
    Ok(bytes)
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> ServeError {
    ServeError::Setting(format!("the TLS file {} cannot be used: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    fn file(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-worker/tests/tls").join(name)
    }

    /// What a client that speaks these protocols comes to speak.
    async fn spoken(protocols: &[&[u8]]) -> Option<Vec<u8>> {
        let files = Tls { certificate: file("server.pem"), key: file("server.key") };
        let acceptor = acceptor(&files).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file("authority.pem")).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        let (near, far) = tokio::io::duplex(1 << 16);
        let name = "localhost".try_into().unwrap();
        let connect = TlsConnector::from(Arc::new(config)).connect(name, near);
        let (stream, accepted) = tokio::join!(connect, acceptor.accept(far));
        accepted.unwrap();
        stream.unwrap().get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
    }

    #[tokio::test]
    async fn http_2_is_spoken_with_those_who_ask_for_it() {
        assert_eq!(spoken(&[b"http/1.1", b"h2"]).await.as_deref(), Some(&b"h2"[..]));
        assert_eq!(spoken(&[b"http/1.1"]).await.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(spoken(&[]).await, None);
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        for (certificate, key) in [
            ("nosuch.pem", "server.key"),
            ("server.pem", "nosuch.key"),
            ("server.key", "server.key"),
            ("server.pem", "server.pem"),
            ("authority.pem", "server.key"),
        ] {
            let files = Tls { certificate: file(certificate), key: file(key) };
            let Err(ServeError::Setting(what)) = acceptor(&files) else {
                panic!("{certificate} and {key} are taken");
            };
            assert!(what.contains("tests/tls"), "{what}");
        }
    }
}
