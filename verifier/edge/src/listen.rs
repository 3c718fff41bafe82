//! The transport and its limits, the port, and serving until it is asked to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic_health::ServingStatus;
use yinxin_pki::UnixSeconds;

use crate::config::{ConfigError, Tls, read};
use crate::metrics::{Counted, Metrics};

/// The longest message in: a chunk of 1 MiB with its frame, or a form.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

/// How much of one document may be on its way before it is taken in. Four chunks of the
/// longest: with a window of one, sender and receiver wait for each other, and 100 MB
/// take ten times as long.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// The longest headers of one request; an honest client sends some hundred bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// How long a new connection may take for its TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long a stop waits beyond the time a request may take.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// The network does not do what it must.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {message}")]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// Why.
    pub message: String,
}

impl ListenError {
    pub(crate) fn new(address: SocketAddr, error: &dyn std::error::Error) -> Self {
        Self {
            address,
            message: chain(error),
        }
    }
}

/// A transport with its limits and its TLS loaded; no port is open yet.
#[derive(Debug)]
pub struct Transport {
    server: Server,
    certificate_ends: Option<UnixSeconds>,
}

impl Transport {
    /// Loads the TLS files; `None` is plain text. `streams_per_connection_max` says how many
    /// requests one connection may have open.
    ///
    /// # Errors
    /// [`ConfigError::Read`]; [`ConfigError::Tls`] when the files do not fit together.
    pub fn new<ClientCa>(
        tls: Option<&Tls<ClientCa>>,
        streams_per_connection_max: u32,
    ) -> Result<Self, ConfigError>
    where
        for<'a> &'a ClientCa: Into<Option<&'a PathBuf>>,
    {
        let server = Server::builder()
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(2 * WINDOW_BYTES)
            .max_concurrent_streams(streams_per_connection_max)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE));
        let Some(files) = tls else {
            return Ok(Self {
                server,
                certificate_ends: None,
            });
        };
        let certificate = read(&files.certificate)?;
        let key = zeroize::Zeroizing::new(read(&files.key)?);
        // Only for the figures: what TLS takes, it takes without us.
        let chain_read = yinxin_pki::Certificate::list_from_pem_or_der(&certificate);
        let chain_read = chain_read.unwrap_or_default();
        let certificate_ends = chain_read.iter().map(|one| one.not_after()).min();
        let mut tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(certificate, key.as_slice()))
            .timeout(HANDSHAKE_MAX);
        let client_ca: Option<&PathBuf> = (&files.client_ca).into();
        if let Some(client_ca) = client_ca {
            tls = tls.client_ca_root(Certificate::from_pem(read(client_ca)?));
        }
        match server.tls_config(tls) {
            Ok(server) => Ok(Self {
                server,
                certificate_ends,
            }),
            Err(error) => Err(ConfigError::Tls {
                message: chain(&error),
            }),
        }
    }

    /// When the first certificate of its TLS chain ends.
    #[must_use]
    pub fn certificate_ends(&self) -> Option<UnixSeconds> {
        self.certificate_ends
    }

    /// Opens the port.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn listen(self, address: SocketAddr) -> Result<Listening, ListenError> {
        let cannot = |error: std::io::Error| ListenError::new(address, &error);
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        Ok(Listening {
            server: self.server,
            address: listener.local_addr().map_err(cannot)?,
            listener,
        })
    }
}

/// The gRPC services of one port, whose calls are counted.
#[derive(Debug)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    metrics: Metrics,
}

impl Services {
    /// None yet.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            metrics: metrics.clone(),
        }
    }

    /// The same with one service more.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes
            .add_service(Counted::new(service, self.metrics.calls()));
        self.names.push(S::NAME);
        self
    }
}

/// An open port that answers as soon as it is served.
#[derive(Debug)]
pub struct Listening {
    server: Server,
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the `services`, health and reflection until `shutdown` is done, then finishes
    /// the calls that are under way. A connection that stays open beyond `request_max`, which
    /// a request may take, is cut off. `who` is the service's name in the log.
    ///
    /// # Errors
    /// [`ListenError`] when the network does not do what it must.
    pub async fn serve(
        self,
        who: &'static str,
        services: Services,
        request_max: Duration,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ListenError> {
        let Self {
            mut server,
            listener,
            address,
        } = self;
        let Services {
            mut routes, names, ..
        } = services;
        let (health, health_service) = tonic_health::server::health_reporter();
        for name in &names {
            health
                .set_service_status(*name, ServingStatus::Serving)
                .await;
        }
        let cannot = |error: &dyn std::error::Error| ListenError::new(address, error);
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(yinxin_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        routes
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(|error| cannot(&error))?)
            // The older name, which common tools still ask for.
            .add_service(
                reflection()
                    .build_v1alpha()
                    .map_err(|error| cannot(&error))?,
            );
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let shutdown = async move {
            shutdown.await;
            tracing::info!("the {who} stops");
            for name in names {
                health
                    .set_service_status(name, ServingStatus::NotServing)
                    .await;
            }
            // Nobody waits for it when serving has ended by itself.
            let _told = stopping.send(());
        };
        tracing::info!(%address, "the {who} answers");
        let serving = server
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown);
        let out_of_patience = async move {
            match stopped.await {
                Ok(()) => tokio::time::sleep(request_max.saturating_add(STOP_MARGIN)).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = serving => served.map_err(|error| cannot(&error))?,
            // A health watcher, for example, never ends by itself.
            () = out_of_patience => tracing::warn!("connections that stayed open were cut off"),
        }
        tracing::info!("the {who} has stopped");
        Ok(())
    }
}

/// An error's words with those of its sources; the transport's own say only "transport error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
