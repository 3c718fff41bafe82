//! Both services in this process, on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use yinxin_keys_dev::Installation;
use yinxin_signer_server::{NoCheckpoints, Signer};
use yinxin_verifier_server::Verifier;

use crate::failure::{Failure, doing};

/// Two running services.
pub(crate) struct Services {
    pub(crate) signer: SocketAddr,
    pub(crate) verifier: SocketAddr,
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<Result<(), Failure>>>,
}

impl Services {
    pub(crate) async fn start(installation: &Installation) -> Result<Self, Failure> {
        let signer_config = yinxin_signer_server::Config::read(&installation.signer_config)
            .map_err(doing("签章服务的配置", "the signer's configuration"))?;
        let verifier_config = yinxin_verifier_server::Config::read(&installation.verifier_config)
            .map_err(doing("核验服务的配置", "the verifier's configuration"))?;
        let signer = Signer::open(&signer_config, Arc::new(NoCheckpoints))
            .await
            .map_err(doing("签章服务无法启动", "the signer cannot start"))?;
        let verifier = Verifier::open(&verifier_config)
            .await
            .map_err(doing("核验服务无法启动", "the verifier cannot start"))?;
        let (signer_address, verifier_address) = (signer.address(), verifier.address());
        let (stop, stopping) = watch::channel(false);
        let stopped = |mut stopping: watch::Receiver<bool>| async move {
            // The sender lives as long as the services; its end means stop as well.
            let _ended = stopping.wait_for(|stop| *stop).await;
        };
        let first = stopped(stopping.clone());
        let second = stopped(stopping);
        let running = vec![
            tokio::spawn(async move {
                signer
                    .serve(first)
                    .await
                    .map_err(doing("签章服务出错", "the signer failed"))
            }),
            tokio::spawn(async move {
                verifier
                    .serve(second)
                    .await
                    .map_err(doing("核验服务出错", "the verifier failed"))
            }),
        ];
        Ok(Self {
            signer: signer_address,
            verifier: verifier_address,
            stop,
            running,
        })
    }

    /// Stops both, after the calls under way.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        // Nobody listens any more when both have ended by themselves; then their own words follow.
        let _told = self.stop.send(true);
        for one in self.running {
            one.await
                .map_err(doing("服务意外终止", "a service ended unexpectedly"))??;
        }
        Ok(())
    }
}
