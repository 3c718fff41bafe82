//! The verification service: configuration, gRPC, health. It holds no key of anybody's
//! seal and keeps nothing of what it is sent.
//!
//! It may be reached by the public, so everything a caller can make it do has a limit.

pub mod config;
mod refusal;
mod report;
mod rpc;
mod upload;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use yinxin_edge::{
    Endpoint, ListenError, Listening, MESSAGE_BYTES_MAX, Metrics, Services, Transport, seconds_left,
};
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1::verification_service_server::VerificationServiceServer;

pub use config::{Config, ConfigError};
pub use yinxin_edge::{asked_to_stop, read_seal_statuses, read_trust, start_log};

/// How many requests one connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 16;

/// Why the verifier does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration, or a file it names.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder for uploads cannot be written.
    #[error("the spool folder cannot be used: {0}")]
    Spool(#[from] yinxin_spool::SpoolError),
    /// The network.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A verifier that is loaded and listens, and answers as soon as it is served.
#[derive(Debug)]
pub struct Verifier {
    rpc: rpc::Rpc,
    listening: Listening,
    request_max: Duration,
    metrics: Metrics,
    endpoint: Option<Endpoint>,
}

impl Verifier {
    /// Loads everything, then listens.
    ///
    /// # Errors
    /// [`StartError`] for the first thing that is not as it must be; no port is open then.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let directory = &config.trust.directory;
        let mut trust = read_trust(directory, config.trust.allow_dev_only)?;
        trust.seal_statuses = read_seal_statuses(directory)?;
        let metrics = Metrics::new("verifier", env!("CARGO_PKG_VERSION"));
        let trust = Arc::new(trust);
        let rpc = rpc::Rpc::new(config, Arc::clone(&trust), &metrics)?;
        let transport = Transport::new(config.tls.as_ref(), STREAMS_PER_CONNECTION_MAX)?;
        let tls_ends = transport.certificate_ends();
        let moment = move || seconds_left(tls_ends, &trust, UnixSeconds(rpc::now()));
        Ok(Self {
            rpc,
            endpoint: Endpoint::open(config.metrics.as_ref(), &metrics, moment).await?,
            listening: transport.listen(config.listen).await?,
            metrics,
            request_max: Duration::from_secs(config.limits.request_seconds_max),
        })
    }

    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// Where figures are given, if the configuration asks for it.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.endpoint.as_ref().map(Endpoint::address)
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
        let rpc = VerificationServiceServer::new(self.rpc);
        let services =
            Services::new(&self.metrics).with(rpc.max_decoding_message_size(MESSAGE_BYTES_MAX));
        let _scraped = self.endpoint.map(Endpoint::start);
        self.listening
            .serve("verifier", services, self.request_max, shutdown)
            .await?;
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
