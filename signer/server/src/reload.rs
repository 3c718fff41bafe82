//! The configuration read again (SIGHUP): the whole of it is loaded and checked first, and nothing
//! changes if anything is wrong.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use yinxin_edge::value_error;

use crate::config::Config;
use crate::service::{Service, StartError};

/// The service of the moment. A call takes it once and ends on it.
pub(crate) struct Current {
    service: Mutex<Arc<Service>>,
    config: Mutex<Config>,
    /// Told when another configuration is in force.
    pub(crate) changed: Notify,
}

impl Current {
    pub(crate) fn new(config: &Config, service: Service) -> Self {
        Self {
            service: Mutex::new(Arc::new(service)),
            config: Mutex::new(config.clone()),
            changed: Notify::new(),
        }
    }

    pub(crate) fn service(&self) -> Arc<Service> {
        Arc::clone(&self.service.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Config {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        config.clone()
    }

    /// Puts another configuration in force.
    ///
    /// # Errors
    /// As at the start; and for what only a restart can change.
    pub(crate) async fn reload(self: &Arc<Self>, config: Config) -> Result<(), StartError> {
        {
            let now = self.config.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = [
                ("listen", now.listen != config.listen),
                ("tls", now.tls != config.tls),
                ("record", now.record != config.record),
                ("metrics", now.metrics != config.metrics),
            ];
            if let Some((field, _)) = changed.iter().find(|(_, changed)| *changed) {
                return Err(value_error(*field, "cannot change without a restart").into());
            }
        }
        let service = self.service();
        // Key files, fonts and devices take their time.
        let runtime = tokio::runtime::Handle::current();
        let loaded = tokio::task::spawn_blocking(move || {
            runtime
                .block_on(service.open_again(&config))
                .map(|service| (config, service))
        });
        let lost = |_| StartError::Record("the thread that read it ended early".to_owned());
        let (config, service) = loaded.await.map_err(lost)??;
        // Only now: a configuration that is refused leaves what the old one had as it was.
        service.keys.try_again();
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        *self.service.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(service);
        self.changed.notify_one();
        Ok(())
    }

    /// Reads the configuration's file again at each SIGHUP, and says what came of it in the log.
    pub(crate) async fn reload_at_hangup(self: Arc<Self>) {
        let Ok(mut hangups) = signal(SignalKind::hangup()) else {
            tracing::error!(
                "SIGHUP cannot be listened to; a changed configuration needs a restart"
            );
            return;
        };
        while hangups.recv().await.is_some() {
            let file = {
                let now = self.config.lock().unwrap_or_else(PoisonError::into_inner);
                now.file.clone()
            };
            let done = match Config::read(&file) {
                Ok(config) => self.reload(config).await,
                Err(error) => Err(error.into()),
            };
            self.service().figures.read_again(done.is_ok());
            match done {
                Ok(()) => {
                    tracing::info!(file = %file.display(), "the configuration was read again");
                    for device in self.service().keys.devices() {
                        tracing::info!(device = ?device.status(), "device");
                    }
                }
                Err(error) => tracing::error!(
                    file = %file.display(),
                    %error,
                    "the configuration was read again and is refused; the old one stays in force"
                ),
            }
        }
    }
}
