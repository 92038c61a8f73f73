//! A real HTTP server on the loopback device, with TLS or without, for tests.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What to answer.
pub(crate) enum Reply {
    /// A status, more header lines, and a body.
    Answer(u16, &'static str, String),
    /// Bytes as they are; then the connection is closed.
    Raw(Vec<u8>),
    /// Nothing until the server ends.
    Hang,
}

/// Serves until dropped.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ending: AtomicBool,
    received: Mutex<Vec<Received>>,
    changed: Condvar,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(None, answer)
    }

    /// One that speaks TLS, with the certificate of `tests/tls`.
    pub(crate) fn start_tls(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("../tests/tls/server.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tests/tls/server.key"));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.unwrap()], key.unwrap());
        Self::with(Some(Arc::new(config.unwrap())), answer)
    }

    fn with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        let answer = Arc::new(answer);
        let acceptor = std::thread::spawn(move || {
            let mut handlers = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if ours.ending.load(Ordering::SeqCst) {
                    break;
                }
                let (shared, answer, tls) = (Arc::clone(&ours), Arc::clone(&answer), tls.clone());
                handlers.push(std::thread::spawn(move || match tls {
                    None => serve(stream, &shared, &*answer),
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &shared, &*answer);
                    }
                }));
            }
            for handler in handlers {
                handler.join().unwrap();
            }
        });
        Self { address, scheme, shared, acceptor: Some(acceptor) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until this many requests have come.
    pub(crate) fn wait_for(&self, count: usize) {
        let received = self.shared.received.lock().unwrap();
        let waited = self.shared.changed.wait_while(received, |received| received.len() < count);
        drop(waited.unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shared.received.lock());
        self.shared.ending.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn serve(mut stream: impl Read + Write, shared: &Shared, answer: &dyn Fn(&Received) -> Reply) {
    let Some(received) = read(&mut stream) else { return };
    shared.received.lock().unwrap().push(received.clone());
    shared.changed.notify_all();
    // A client that has gone is none of the server's business.
    let _ = match answer(&received) {
        Reply::Answer(status, headers, body) => stream.write_all(
            format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
                body.len()
            )
            .as_bytes(),
        ),
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Hang => {
            let received = shared.received.lock().unwrap();
            let ending = |_: &mut Vec<Received>| !shared.ending.load(Ordering::SeqCst);
            drop(shared.changed.wait_while(received, ending).unwrap());
            Ok(())
        }
    };
}

fn read(stream: impl Read) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut text = String::new();
        reader.read_line(&mut text).ok()?;
        match text.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let mut received = Received { line: line.trim_end().to_owned(), headers, body: String::new() };
    let length = received.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    received.body = String::from_utf8(body).unwrap();
    Some(received)
}
