//! The signing service: configuration, gRPC, health. It holds the keys.
//!
//! Everything is loaded and checked against everything else before the port opens; the caller is
//! its client certificate.

mod body;
mod caller;
pub mod config;
mod fields;
mod fonts;
mod pipeline;
mod receipt;
mod rpc;
mod service;
mod status;
pub mod steps;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use yinxin_proto::v1::licence_service_server::LicenceServiceServer;
use yinxin_proto::v1::sealing_service_server::SealingServiceServer;

pub use config::Config;
use service::Service;
pub use service::StartError;
use steps::Checkpoints;
pub use steps::NoCheckpoints;

/// The longest message in: a chunk of 1 MiB with its frame, or a form.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

/// How large a window a document may fill on its way in, so that one stream can use the link.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// How many requests one connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 64;

/// How long a new connection may take for its TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long a stop waits beyond the time a request may take.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// A signer that is loaded and listens, and answers as soon as it is served.
pub struct Signer {
    service: Arc<Service>,
    server: Server,
    listener: TcpListener,
    address: SocketAddr,
}

impl Signer {
    /// Loads everything, then listens.
    ///
    /// # Errors
    /// [`StartError`] for the first thing that is not as it must be; no port is open then.
    pub async fn open(
        config: &Config,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Result<Self, StartError> {
        let server = server(config)?;
        let service = Arc::new(Service::open(config, checkpoints).await?);
        let cannot = |error: std::io::Error| listen_error(config.listen, &error);
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self {
            service,
            server,
            listener,
            address,
        })
    }

    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done, then finishes the calls that are under way. A connection
    /// that stays open beyond what a request may take is cut off.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the network does not do what it must.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            service,
            mut server,
            listener,
            address,
        } = self;
        let patience = Duration::from_secs(service.limits.request_seconds_max) + STOP_MARGIN;
        let rpc = rpc::Rpc(service);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<LicenceServiceServer<rpc::Rpc>>().await;
        health.set_serving::<SealingServiceServer<rpc::Rpc>>().await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(yinxin_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let shutdown = async move {
            shutdown.await;
            tracing::info!("the signer stops");
            health
                .set_not_serving::<LicenceServiceServer<rpc::Rpc>>()
                .await;
            health
                .set_not_serving::<SealingServiceServer<rpc::Rpc>>()
                .await;
            // Nobody waits for it when serving has ended by itself.
            let _told = stopping.send(());
        };
        let cannot = |error: &dyn std::error::Error| listen_error(address, error);
        tracing::info!(%address, "the signer answers");
        let serving = server
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(|error| cannot(&error))?)
            // The older name, which common tools still ask for.
            .add_service(
                reflection()
                    .build_v1alpha()
                    .map_err(|error| cannot(&error))?,
            )
            .add_service(
                LicenceServiceServer::new(rpc.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .add_service(
                SealingServiceServer::new(rpc).max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown);
        let out_of_patience = async move {
            match stopped.await {
                Ok(()) => tokio::time::sleep(patience).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = serving => served.map_err(|error| cannot(&error))?,
            // A health watcher, for example, never ends by itself.
            () = out_of_patience => tracing::warn!("connections that stayed open were cut off"),
        }
        tracing::info!("the signer has stopped");
        Ok(())
    }
}

/// The transport, with the server's own certificate and the authorities of its callers.
fn server(config: &Config) -> Result<Server, StartError> {
    let certificate = service::read(&config.tls.certificate)?;
    let key = zeroize::Zeroizing::new(service::read(&config.tls.key)?);
    let client_ca = service::read(&config.tls.client_ca)?;
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key.as_slice()))
        .client_ca_root(Certificate::from_pem(client_ca))
        .timeout(HANDSHAKE_MAX);
    Server::builder()
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(2 * WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .tls_config(tls)
        .map_err(|error| listen_error(config.listen, &error))
}

/// An error's words with those of its sources; the transport's own say only "transport error".
fn listen_error(address: SocketAddr, error: &dyn std::error::Error) -> StartError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    StartError::Listen { address, message }
}

/// The face for the seals' lettering that the signer would find in these files and folders.
///
/// # Errors
/// [`StartError`] when there is none.
pub fn seal_font(
    paths: &[std::path::PathBuf],
) -> Result<yinxin_signer::appearance::SealFont, StartError> {
    fonts::seal_font(&config::Fonts {
        paths: paths.to_vec(),
        seal: None,
    })
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

/// Ends at SIGTERM or SIGINT.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without signals there is only the plain end of the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
