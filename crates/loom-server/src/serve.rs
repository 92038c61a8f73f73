//! Listening, and coming to an end.

use crate::app::App;
use crate::config::Config;
use crate::http;
use crate::parts::Parts;
use loom_store::StoreError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

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
    /// The store failed.
    Store(StoreError),
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
        let app = App::start(parts, config).map_err(ServeError::Store)?;
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

    /// Serves until `stop` is done; requests that are under way are answered.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let router = http::router(self.app);
        axum::serve(self.listener, router).with_graceful_shutdown(stop).await
    }
}
