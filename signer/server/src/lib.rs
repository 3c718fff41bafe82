//! The signing service: configuration, gRPC, health. It holds the keys.
//!
//! Everything is loaded and checked against everything else before the port opens; the caller is
//! its client certificate.

mod body;
mod caller;
pub mod config;
mod fields;
mod figures;
mod fonts;
mod keys;
mod memory;
mod people;
mod pipeline;
mod receipt;
mod reload;
mod renewal;
mod rpc;
mod seals;
mod service;
mod status;
pub mod steps;
mod succession;
mod usage;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use yinxin_edge::{Endpoint, Listening, MESSAGE_BYTES_MAX, Metrics, Services, Transport};
use yinxin_proto::v1::licence_service_server::LicenceServiceServer;
use yinxin_proto::v1::seal_service_server::SealServiceServer;
use yinxin_proto::v1::sealing_service_server::SealingServiceServer;

pub use config::Config;
use figures::Figures;
use reload::Current;
use service::Service;
pub use service::StartError;
use steps::Checkpoints;
pub use steps::NoCheckpoints;
pub use yinxin_edge::{asked_to_stop, start_log};

/// How many requests one connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 64;

/// A signer that is loaded and listens, and answers as soon as it is served.
pub struct Signer {
    current: Arc<Current>,
    listening: Listening,
    metrics: Metrics,
    endpoint: Option<Endpoint>,
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
        let transport = Transport::new(Some(&config.tls), STREAMS_PER_CONNECTION_MAX)?;
        let metrics = Metrics::new("signer", env!("CARGO_PKG_VERSION"));
        let service = Service::open(config, checkpoints, Figures::new(&metrics)).await?;
        memory::lock();
        let current = Arc::new(Current::new(config, service));
        let asked = Arc::clone(&current);
        let tls_ends = transport.certificate_ends();
        let moment = move || figures::moment(&asked.service(), tls_ends);
        Ok(Self {
            endpoint: Endpoint::open(config.metrics.as_ref(), &metrics, moment).await?,
            listening: transport.listen(config.listen).await?,
            current,
            metrics,
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

    /// Answers until `shutdown` is done, then finishes the calls that are under way. A connection
    /// that stays open beyond what a request may take is cut off. At SIGHUP the configuration is
    /// read again.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the network does not do what it must.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let request_max = Duration::from_secs(self.current.service().limits.request_seconds_max);
        let reloading = tokio::spawn(Arc::clone(&self.current).reload_at_hangup());
        let watching = tokio::spawn(succession::watch(Arc::clone(&self.current)));
        let _scraped = self.endpoint.map(Endpoint::start);
        let rpc = rpc::Rpc(self.current);
        let licences = LicenceServiceServer::new(rpc.clone());
        let seals = SealServiceServer::new(rpc.clone());
        let sealing = SealingServiceServer::new(rpc);
        let services = Services::new(&self.metrics)
            .with(licences.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .with(seals.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .with(sealing.max_decoding_message_size(MESSAGE_BYTES_MAX));
        let served = self
            .listening
            .serve("signer", services, request_max, shutdown)
            .await;
        reloading.abort();
        watching.abort();
        Ok(served?)
    }
}

/// The typesetter of the signer that is configured so, for pages of other kinds.
///
/// # Errors
/// [`StartError`] when a font cannot be read.
pub fn typesetter(fonts: &config::Fonts) -> Result<yinxin_typeset::Typesetter, StartError> {
    Ok(fonts::load(fonts)?.typesetter)
}

/// The face for the seals' lettering that the signer would find in these files and folders.
///
/// # Errors
/// [`StartError`] when there is none.
pub fn seal_font(
    paths: &[std::path::PathBuf],
) -> Result<yinxin_signer::appearance::SealFont, StartError> {
    let found = fonts::seal_font(&config::Fonts {
        paths: paths.to_vec(),
        seal: None,
    })?;
    Ok(found)
}
