//! A key whose signatures are counted.

use std::sync::Arc;

use prometheus::{Histogram, IntCounterVec};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};

use crate::figures::Figures;

/// A store for one key, with its figures.
pub(super) struct Timed {
    store: Arc<dyn KeyStore>,
    seconds: Histogram,
    errors: IntCounterVec,
}

impl Timed {
    pub(super) fn new(key: &str, store: Arc<dyn KeyStore>, figures: &Figures) -> Self {
        Self {
            store,
            seconds: figures.key_seconds.with_label_values(&[key]),
            errors: figures.key_errors.clone(),
        }
    }
}

impl KeyStore for Timed {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        self.store.public_key_spki(key)
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        self.store.rsa_padding(key)
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let timer = self.seconds.start_timer();
        let signed = self.store.sign(key, algorithm, message);
        timer.observe_duration();
        if let Err(error) = &signed {
            self.errors.with_label_values(&[key, error.kind()]).inc();
        }
        signed
    }
}
