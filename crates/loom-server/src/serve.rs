//! Listening, and coming to an end.

use crate::app::App;
use crate::config::Config;
use crate::http;
use crate::parts::Parts;
use crate::tls;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use loom_store::StoreError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// The most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// The most requests at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 128;
/// How often a silent connection of HTTP/2 is asked whether somebody is there.
const PING: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more connections to give.
const REST: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    app: Arc<App>,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum ServeError {
    /// It would be open to everybody.
    Open(SocketAddr),
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// A file that a setting names cannot be used.
    Setting(String),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// From which address a request comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// One of the connections that there may be at once, for as long as anybody keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Server {
    /// Opens the connections to the store and the address. Without access control only this
    /// machine may reach a server.
    pub async fn bind(parts: Parts, config: Config) -> Result<Self, ServeError> {
        let address = config.listen;
        if !config.access && !address.ip().is_loopback() {
            return Err(ServeError::Open(address));
        }
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let listener =
            TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))?;
        let app = App::start(parts, config)?;
        Ok(Self { listener, acceptor, app })
    }

    /// Where it listens: the port that the system chose, if it was asked to.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The services behind the doors.
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves until `stop` is done; requests that are under way are answered, within a limit.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let limits = self.app.config.limits.clone();
        let door = Arc::new(Door {
            router: http::router(Arc::clone(&self.app)),
            acceptor: self.acceptor,
            patience: limits.headers,
        });
        let connections = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            // No more is accepted than may be there: the others wait in the system's queue.
            let accepted = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                let permit = permit.expect("nobody closes the semaphore");
                (Room { _permit: Arc::new(permit) }, self.listener.accept().await)
            };
            let (room, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            let Ok((stream, peer)) = accepted else {
                sleep(REST).await;
                continue;
            };
            let (door, watcher) = (Arc::clone(&door), graceful.watcher());
            tokio::spawn(async move {
                door.receive(stream, Peer(peer), room, watcher).await;
            });
        }
        drop(self.listener);
        // Event streams end here; their readers come back to the next server.
        self.app.end();
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        let quiet = async {
            graceful.shutdown().await;
            // Those that have become WebSockets are not hyper's any more.
            let _ = connections.acquire_many(all).await;
        };
        // What is not done by then is cut off.
        let _ = timeout(limits.stop, quiet).await;
        self.app.access.finish().await;
    }
}

/// What happens to each connection.
struct Door {
    router: Router,
    acceptor: Option<TlsAcceptor>,
    /// How long a client may take for a handshake, and for the headers of each request.
    patience: Duration,
}

impl Door {
    /// Serves one connection to its end. Its errors are the client's: it has gone, or sends what
    /// is no HTTP, and is told so where that is possible.
    async fn receive(&self, stream: TcpStream, peer: Peer, room: Room, watcher: Watcher) {
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        match &self.acceptor {
            None => self.serve(stream, peer, room, watcher).await,
            Some(acceptor) => {
                if let Ok(Ok(stream)) = timeout(self.patience, acceptor.accept(stream)).await {
                    self.serve(stream, peer, room, watcher).await;
                }
            }
        }
    }

    async fn serve<S>(&self, stream: S, peer: Peer, room: Room, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let begun = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(room.clone());
            self.router.clone().call(request)
        });
        let builder = self.builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = watcher.watch(connection);
        // The time for headers runs once the version of HTTP is known. Who does not even come to
        // that is not waited for.
        let silence = async {
            sleep(self.patience).await;
            if begun.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = connection => {}
            () = silence => {}
        }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .max_buf_size(HEADER_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(self.patience)
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADER_BYTES_MAX as u32);
        builder
    }
}
