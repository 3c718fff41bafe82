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

/// A signer that is loaded and listens, and answers as soon as it is served.
pub struct Signer {
    service: Arc<Service>,
    listener: TcpListener,
    address: SocketAddr,
    tls: ServerTlsConfig,
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
        let certificate = service::read(&config.tls.certificate)?;
        let key = zeroize::Zeroizing::new(service::read(&config.tls.key)?);
        let client_ca = service::read(&config.tls.client_ca)?;
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(certificate, key.as_slice()))
            .client_ca_root(Certificate::from_pem(client_ca));
        let service = Arc::new(Service::open(config, checkpoints).await?);
        let cannot = |error: std::io::Error| StartError::Listen {
            address: config.listen,
            message: error.to_string(),
        };
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self {
            service,
            listener,
            address,
            tls,
        })
    }

    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done, then finishes the calls that are under way.
    ///
    /// # Errors
    /// [`StartError::Listen`] when TLS or the network does not do what it must.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            service,
            listener,
            address,
            tls,
        } = self;
        let cannot = |error: &dyn std::fmt::Display| StartError::Listen {
            address,
            message: error.to_string(),
        };
        let rpc = rpc::Rpc(service);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<LicenceServiceServer<rpc::Rpc>>().await;
        health.set_serving::<SealingServiceServer<rpc::Rpc>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(yinxin_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| cannot(&error))?;
        tracing::info!(%address, "the signer answers");
        Server::builder()
            .tls_config(tls)
            .map_err(|error| cannot(&error))?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(2 * WINDOW_BYTES)
            .add_service(health_service)
            .add_service(reflection)
            .add_service(
                LicenceServiceServer::new(rpc.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .add_service(
                SealingServiceServer::new(rpc).max_decoding_message_size(MESSAGE_BYTES_MAX),
            )
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown)
            .await
            .map_err(|error| cannot(&error))?;
        tracing::info!("the signer has stopped");
        Ok(())
    }
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
