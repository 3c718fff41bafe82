//! Keys in several places behind one store.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use yinxin_pki::SignatureAlgorithm;

use super::{KeyStore, KeyStoreError, RsaPadding};

/// Sends each key's name to the store that holds the key. Cheap to clone.
#[derive(Clone, Default)]
pub struct KeyRouter {
    routes: Arc<BTreeMap<String, Arc<dyn KeyStore>>>,
}

impl std::fmt::Debug for KeyRouter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.routes.keys()).finish()
    }
}

impl KeyRouter {
    /// A router over names and their stores.
    ///
    /// # Errors
    /// [`KeyStoreError::NameTaken`] for a name that comes twice.
    pub fn new(
        routes: impl IntoIterator<Item = (String, Arc<dyn KeyStore>)>,
    ) -> Result<Self, KeyStoreError> {
        let mut by_name = BTreeMap::new();
        for (key, store) in routes {
            match by_name.entry(key) {
                Entry::Occupied(taken) => {
                    return Err(KeyStoreError::NameTaken {
                        key: taken.key().clone(),
                    });
                }
                Entry::Vacant(place) => {
                    place.insert(store);
                }
            }
        }
        Ok(Self {
            routes: Arc::new(by_name),
        })
    }

    /// The names of all keys, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.routes.keys().map(String::as_str)
    }

    fn store(&self, key: &str) -> Result<&dyn KeyStore, KeyStoreError> {
        self.routes
            .get(key)
            .map(|store| &**store)
            .ok_or_else(|| KeyStoreError::NoSuchKey {
                key: key.to_owned(),
            })
    }
}

impl KeyStore for KeyRouter {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        self.store(key)?.public_key_spki(key)
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        self.store(key)?.rsa_padding(key)
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        self.store(key)?.sign(key, algorithm, message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    /// Says its own number.
    struct Numbered(u8);

    impl KeyStore for Numbered {
        fn public_key_spki(&self, _: &str) -> Result<Vec<u8>, KeyStoreError> {
            Ok(vec![self.0])
        }

        fn rsa_padding(&self, _: &str) -> Result<RsaPadding, KeyStoreError> {
            Ok(RsaPadding::Pss)
        }

        fn sign(
            &self,
            _: &str,
            _: &SignatureAlgorithm,
            message: &[u8],
        ) -> Result<Vec<u8>, KeyStoreError> {
            Ok([&[self.0], message].concat())
        }
    }

    fn route(key: &str, number: u8) -> (String, Arc<dyn KeyStore>) {
        (key.to_owned(), Arc::new(Numbered(number)))
    }

    #[test]
    fn each_name_reaches_its_own_store() {
        let router = KeyRouter::new([route("a", 1), route("b", 2)]).unwrap();
        assert_eq!(router.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(router.public_key_spki("b").unwrap(), [2]);
        let algorithm = SignatureAlgorithm::Sm2Sm3;
        assert_eq!(router.sign("a", &algorithm, &[7]).unwrap(), [1, 7]);
        assert_eq!(router.rsa_padding("b").unwrap(), RsaPadding::Pss);
        assert!(matches!(
            router.sign("c", &algorithm, &[7]),
            Err(KeyStoreError::NoSuchKey { key }) if key == "c"
        ));
    }

    #[test]
    fn a_name_of_two_keys_is_refused() {
        assert!(matches!(
            KeyRouter::new([route("a", 1), route("a", 2)]),
            Err(KeyStoreError::NameTaken { key }) if key == "a"
        ));
    }
}
