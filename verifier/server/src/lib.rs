//! The verification service: configuration, gRPC, health. It holds no key of anybody's
//! seal and keeps nothing of what it is sent.
//!
//! It may be reached by the public, so everything a caller can make it do has a limit.

pub mod config;
mod refusal;
mod report;
mod rpc;
mod trust;
mod upload;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use yinxin_proto::v1::verification_service_server::VerificationServiceServer;

pub use config::{Config, ConfigError};
pub use trust::read_trust;

/// The longest message in: a chunk of 1 MiB with its frame.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

/// How much of one document may be on its way before it is taken in. Four chunks of the
/// longest: with a window of one, sender and receiver wait for each other, and 100 MB
/// take ten times as long.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// How many requests one connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 16;

/// The longest headers of one request; an honest client sends some hundred bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// How long a new connection may take for its TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long a stop waits beyond the time a request may take.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// Why the verifier does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration, or a file it names.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder for uploads cannot be written.
    #[error("the spool folder cannot be used: {0}")]
    Spool(#[from] yinxin_spool::SpoolError),
    /// The server's own certificate and key, or the client authority.
    #[error("tls: {message}")]
    Tls {
        /// What is wrong.
        message: String,
    },
    /// The network.
    #[error("cannot listen on {address}: {message}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        message: String,
    },
}

/// A verifier that is loaded and listens, and answers as soon as it is served.
#[derive(Debug)]
pub struct Verifier {
    rpc: rpc::Rpc,
    server: Server,
    listener: TcpListener,
    address: SocketAddr,
    stop_max: Duration,
}

impl Verifier {
    /// Loads everything, then listens.
    ///
    /// # Errors
    /// [`StartError`] for the first thing that is not as it must be; no port is open then.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let trust = read_trust(&config.trust.directory, config.trust.allow_dev_only)?;
        let rpc = rpc::Rpc::new(config, trust)?;
        let server = server(config)?;
        let cannot = |error: std::io::Error| StartError::Listen {
            address: config.listen,
            message: error.to_string(),
        };
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let stop_max = Duration::from_secs(config.limits.request_seconds_max) + STOP_MARGIN;
        Ok(Self {
            rpc,
            server,
            listener,
            address,
            stop_max,
        })
    }

    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done, then finishes the calls that are under way. A
    /// connection that stays open beyond what a request may take is cut off.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the network does not do what it must.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            rpc,
            mut server,
            listener,
            address,
            stop_max,
        } = self;
        let cannot = |message: String| StartError::Listen { address, message };
        let (health, health_service) = tonic_health::server::health_reporter();
        health
            .set_serving::<VerificationServiceServer<rpc::Rpc>>()
            .await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(yinxin_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let shutdown = async move {
            shutdown.await;
            tracing::info!("the verifier stops");
            health
                .set_not_serving::<VerificationServiceServer<rpc::Rpc>>()
                .await;
            // Nobody waits for it when serving has ended by itself.
            let _ = stopping.send(());
        };
        tracing::info!(%address, "the verifier answers");
        let serving = server
            .add_service(health_service)
            .add_service(
                reflection()
                    .build_v1()
                    .map_err(|error| cannot(error.to_string()))?,
            )
            // The older name, which common tools still ask for.
            .add_service(
                reflection()
                    .build_v1alpha()
                    .map_err(|error| cannot(error.to_string()))?,
            )
            .add_service(
                VerificationServiceServer::new(rpc).max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown);
        let out_of_patience = async move {
            match stopped.await {
                Ok(()) => tokio::time::sleep(stop_max).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = serving => served.map_err(|error| cannot(error.to_string()))?,
            // A health watcher, for example, never ends by itself.
            () = out_of_patience => tracing::warn!("connections that stayed open were cut off"),
        }
        tracing::info!("the verifier has stopped");
        Ok(())
    }
}

/// Opens and serves in one.
///
/// # Errors
/// As [`Verifier::open`] and [`Verifier::serve`].
pub async fn run(
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    Verifier::open(config).await?.serve(shutdown).await
}

fn server(config: &Config) -> Result<Server, StartError> {
    let server = Server::builder()
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(2 * WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE));
    let Some(files) = &config.tls else {
        return Ok(server);
    };
    let certificate = trust::read(&files.certificate)?;
    let key = zeroize::Zeroizing::new(trust::read(&files.key)?);
    let mut tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key.as_slice()))
        .timeout(HANDSHAKE_MAX);
    if let Some(client_ca) = &files.client_ca {
        tls = tls.client_ca_root(Certificate::from_pem(trust::read(client_ca)?));
    }
    server.tls_config(tls).map_err(|error| StartError::Tls {
        message: chain(&error),
    })
}

/// An error's words with those of its sources; tonic's own say only "transport error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    words
}

/// Starts the log as the configuration says. A second call changes nothing.
pub fn start_log(format: config::LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        config::LogFormat::Json => builder.json().try_init(),
        config::LogFormat::Text => builder.try_init(),
    };
    // The only failure is that a log is running already.
    let _already = started;
}
