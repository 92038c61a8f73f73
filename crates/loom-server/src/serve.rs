//! Listening, and coming to an end.

mod crowd;
mod patient;
mod streams;

use crate::app::App;
use crate::config::Config;
use crate::http;
use crate::parts::Parts;
use crate::tls::Certificates;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use crowd::{Crowd, Place};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use loom_store::StoreError;
use patient::Patient;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use streams::{Streams, watched};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::Service;

/// The most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// The most requests at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 128;
/// How often a silent connection of HTTP/2 is asked whether somebody is there.
const PING: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more connections to give.
const REST: Duration = Duration::from_millis(100);
/// How often it is said that clients are turned away.
const TELL: Duration = Duration::from_mins(1);

/// A server that listens.
pub struct Server {
    listener: TcpListener,
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
#[derive(Clone)]
pub(crate) struct Room {
    _kept: Arc<(OwnedSemaphorePermit, Place)>,
}

impl Server {
    /// Opens the connections to the store and the address. Without access control only this
    /// machine may reach a server.
    pub async fn bind(parts: Parts, config: Config) -> Result<Self, ServeError> {
        let address = config.listen;
        if !config.access && !address.ip().is_loopback() {
            return Err(ServeError::Open(address));
        }
        let listener =
            TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))?;
        let app = App::start(parts, config)?;
        Ok(Self { listener, app })
    }

    /// Where it listens: the port that the system chose, if it was asked to.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The services behind the doors.
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Says what somebody should know in the server's log.
    pub fn warner(&self) -> impl Fn(&str) + Send + 'static + use<> {
        let log = self.app.log.clone();
        move |what| log.warn(what, &[])
    }

    /// Serves until `stop` is done; requests that are under way are answered, within a limit.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let config = Arc::clone(&self.app.config);
        let limits = &config.limits;
        let door = Arc::new(Door {
            router: http::router(Arc::clone(&self.app)),
            certificates: self.app.certificates.clone(),
            patience: limits.headers,
            write: limits.write,
        });
        let connections = Arc::new(Semaphore::new(limits.connections));
        let crowd = Crowd::new(limits.address_connections, config.trusted_proxies.clone());
        let graceful = GracefulShutdown::new();
        let mut told = None;
        let mut stop = pin!(stop);
        loop {
            // No more is accepted than may be there: the others wait in the system's queue.
            let accepted = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                let permit = permit.expect("nobody closes the semaphore");
                (permit, self.listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.turned_away(&mut told, &error.to_string());
                    sleep(REST).await;
                    continue;
                }
            };
            let Some(place) = crowd.enter(peer.ip()) else {
                self.turned_away(&mut told, &format!("{} has too many", peer.ip()));
                continue;
            };
            let room = Room { _kept: Arc::new((permit, place)) };
            let (door, watcher) = (Arc::clone(&door), graceful.watcher());
            tokio::spawn(async move {
                door.receive(stream, Peer(peer), room, watcher).await;
            });
        }
        drop(self.listener);
        let under_way = self.app.insight.under_way();
        self.app.log.info("the server stops", &[("attempts_under_way", under_way.into())]);
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
        self.app.finish().await;
    }

    /// Says, now and then, that a connection was not taken.
    fn turned_away(&self, told: &mut Option<Instant>, why: &str) {
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            *told = Some(Instant::now());
            self.app.log.warn("connections are turned away", &[("why", why.into())]);
        }
    }
}

/// What happens to each connection.
struct Door {
    router: Router,
    certificates: Option<Arc<Certificates>>,
    /// How long a client may take for a handshake, and for the headers of each request.
    patience: Duration,
    /// How long a client may take nothing of what is sent to it.
    write: Duration,
}

impl Door {
    /// Serves one connection to its end. Its errors are the client's: it has gone, or sends what
    /// is no HTTP, and is told so where that is possible.
    async fn receive(&self, stream: TcpStream, peer: Peer, room: Room, watcher: Watcher) {
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.write);
        match &self.certificates {
            None => self.serve(stream, peer, room, watcher).await,
            Some(certificates) => {
                let accept = certificates.acceptor().accept(stream);
                if let Ok(Ok(stream)) = timeout(self.patience, accept).await {
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
            let answer = self.router.clone().call(request);
            async move { answer.await.map(watched) }
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

    fn builder(&self) -> Builder<Streams> {
        let mut builder = Builder::new(Streams { patience: self.write });
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
