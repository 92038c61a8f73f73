//! Encrypted connections: rustls with a certificate from files.
//!
//! The files are looked at all the time, so that a certificate that was renewed is in use within
//! seconds. Connections that are open keep what they began with. Files that cannot be used change
//! nothing: what they replace stays in use, and the log and `/health/status` say why.

use crate::config::Tls;
use crate::log::Log;
use crate::serve::ServeError;
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_protocol::api::TlsStatus;
use loom_protocol::rfc3339;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The most bytes of a file.
const BYTES_MAX: u64 = 1 << 20;
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What files hold, in short.
type Print = [u8; 32];

/// The certificate in use, and how its files stand.
pub(crate) struct Certificates {
    files: Tls,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    /// What the files held when they were taken into use.
    used: Print,
    loaded_at: Timestamp,
    /// What they held when they were last looked at.
    seen: Result<Print, String>,
    /// Why what they hold now is not in use.
    problem: Option<String>,
}

impl Certificates {
    pub(crate) fn load(files: Tls, now: Timestamp) -> Result<Self, ServeError> {
        let pems = Pems::read(&files).map_err(ServeError::Setting)?;
        let config = pems.config(&files).map_err(ServeError::Setting)?;
        let used = pems.print();
        let state = State { config, used, loaded_at: now, seen: Ok(used), problem: None };
        Ok(Self { files, state: Mutex::new(state) })
    }

    /// What makes encrypted connections now, with HTTP/2 for those who speak it.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.state().config))
    }

    pub(crate) fn status(&self) -> TlsStatus {
        let state = self.state();
        TlsStatus { loaded_at: rfc3339(state.loaded_at.0), problem: state.problem.clone() }
    }

    /// Takes new files into use. They have to be the same at two looks: whoever replaces them may
    /// have got no further than the first of them. Answers with what is to be told, once.
    fn look(&self, now: Timestamp) -> Option<Result<(), String>> {
        let pems = Pems::read(&self.files);
        let print = pems.as_ref().map(Pems::print).map_err(String::clone);
        let mut state = self.state();
        let settled = state.seen == print;
        state.seen.clone_from(&print);
        if !settled {
            return None;
        }
        if print == Ok(state.used) {
            state.problem = None;
            return None;
        }
        match pems.and_then(|pems| Ok((pems.config(&self.files)?, pems.print()))) {
            Ok((config, used)) => {
                (state.config, state.used, state.loaded_at) = (config, used, now);
                state.problem = None;
                Some(Ok(()))
            }
            Err(why) if state.problem.as_ref() == Some(&why) => None,
            Err(why) => {
                state.problem = Some(why.clone());
                Some(Err(why))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the files for as long as somebody uses what they hold.
pub(crate) async fn tend(certificates: Weak<Certificates>, log: Log, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(certificates) = certificates.upgrade() else { return };
        let now = clock.now();
        let looked = tokio::task::spawn_blocking(move || certificates.look(now)).await;
        match looked {
            Ok(Some(Ok(()))) => log.info("a new certificate is in use", &[]),
            Ok(Some(Err(why))) => {
                log.error("the certificate stays the old one", &[("why", why.into())]);
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
}

/// The content of both files.
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pems {
    fn read(files: &Tls) -> Result<Self, String> {
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn print(&self) -> Print {
        let length = (self.certificate.len() as u64).to_be_bytes();
        let hash = Sha256::new().chain_update(length).chain_update(&self.certificate);
        hash.chain_update(&self.key).finalize().into()
    }

    fn config(&self, files: &Tls) -> Result<Arc<ServerConfig>, String> {
        let certificates = parse(&files.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|error| wrong(&files.key, &error))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has cipher suites of both versions")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| wrong(&files.key, &error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The certificates in a file in PEM, of which there is one at least.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    read(path).and_then(|pem| parse(path, &pem)).map_err(ServeError::Setting)
}

fn parse(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| wrong(path, &error))?;
    if found.is_empty() {
        return Err(wrong(path, &"there is no certificate in it"));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(path, &error))?;
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|error| wrong(path, &error))?;
    Ok(bytes)
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("the TLS file {} cannot be used: {why}", path.display())
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
        let acceptor = Certificates::load(files, Timestamp(0)).unwrap().acceptor();
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
            let Err(ServeError::Setting(what)) = Certificates::load(files, Timestamp(0)) else {
                panic!("{certificate} and {key} are taken");
            };
            assert!(what.contains("tests/tls"), "{what}");
        }
    }

    #[test]
    fn new_files_are_used_once_they_are_whole_and_bad_ones_are_told_once() {
        let folder = std::env::temp_dir().join(format!("loom-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let files = Tls { certificate: folder.join("a.pem"), key: folder.join("a.key") };
        let put = |certificate: &[u8], key: &[u8]| {
            std::fs::write(&files.certificate, certificate).unwrap();
            std::fs::write(&files.key, key).unwrap();
        };
        let pem = |name: &str| std::fs::read(file(name)).unwrap();
        let (certificate, key) = (pem("server.pem"), pem("server.key"));
        put(&certificate, &key);
        let now = Timestamp::from_millis;
        let certificates = Certificates::load(files.clone(), now(1)).unwrap();
        let first = Arc::clone(&certificates.state().config);
        let is_first = || Arc::ptr_eq(&first, &certificates.state().config);
        assert_eq!(certificates.look(now(2)), None);

        // Half of a renewal, which goes on before the second look.
        put(b"-----BEGIN", &key);
        assert_eq!(certificates.look(now(3)), None);
        put(&[&certificate[..], b"\n"].concat(), &key);
        assert_eq!(certificates.look(now(4)), None);
        assert!(is_first());
        assert_eq!(certificates.look(now(5)), Some(Ok(())));
        assert!(!is_first());
        assert_eq!(certificates.status().loaded_at, rfc3339(now(5).0));

        put(b"nonsense", &key);
        assert_eq!(certificates.look(now(6)), None);
        let told = certificates.look(now(7)).unwrap().unwrap_err();
        assert!(told.contains("a.pem"), "{told}");
        assert_eq!(certificates.look(now(8)), None);
        let status = certificates.status();
        assert_eq!((status.loaded_at, status.problem), (rfc3339(now(5).0), Some(told)));

        std::fs::remove_file(&files.key).unwrap();
        assert_eq!(certificates.look(now(9)), None);
        assert!(certificates.look(now(10)).unwrap().unwrap_err().contains("a.key"));

        put(&[&certificate[..], b"\n"].concat(), &key);
        assert_eq!((certificates.look(now(11)), certificates.look(now(12))), (None, None));
        assert_eq!(certificates.status().problem, None);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
