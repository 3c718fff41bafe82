use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use yinxin_signer::keys::KeyStoreError;

use super::{DeviceKeyStore, PoolSettings};
use crate::OpenError;
use crate::device::{Connected, Device, Failed, KeyFacts, Session};

const SESSIONS: usize = 4;

/// Longer than any machine pauses.
const PATIENCE: Duration = Duration::from_secs(20);

/// A device that lets one in alone, and of the others nobody before all are at the door.
#[derive(Default)]
struct Door {
    came: Mutex<usize>,
    changed: Condvar,
}

struct Idle;

impl Session for Idle {
    fn sign(&mut self, _index: usize, _message: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(Vec::new())
    }
}

impl Device for Door {
    fn keys(&self) -> Vec<KeyFacts> {
        Vec::new()
    }

    fn connect(&self) -> Result<Connected, OpenError> {
        let mut came = self.came.lock().expect("no panic");
        *came += 1;
        self.changed.notify_all();
        let is_first = *came == 1;
        let (awaited, patience) = match is_first {
            true => (2, Duration::from_millis(200)),
            false => (SESSIONS, PATIENCE),
        };
        let (came, waited) = self
            .changed
            .wait_timeout_while(came, patience, |came| *came < awaited)
            .expect("no panic");
        drop(came);
        if waited.timed_out() != is_first {
            return Err(OpenError::Key(KeyStoreError::Unusable {
                key: String::new(),
                why: "too many came, or too few".into(),
            }));
        }
        Ok(Connected {
            session: Box::new(Idle),
            spkis: Vec::new(),
        })
    }

    fn forgive(&self) {}
}

/// A wrong PIN must be tried once and not once for each session: tokens count.
#[test]
fn one_session_tries_the_pin_and_then_all_others_open_at_the_same_time() {
    let settings = PoolSettings {
        sessions: SESSIONS,
        connect_max: 2 * PATIENCE,
        ..PoolSettings::default()
    };
    let device = Box::new(Door::default());
    let store = DeviceKeyStore::start("door", device, settings).expect("good settings");
    store.wait_until_up(PATIENCE).expect("the first comes");
    let until = Instant::now() + PATIENCE;
    while store.status().sessions < SESSIONS {
        assert!(Instant::now() < until, "{:?}", store.status());
        std::thread::yield_now();
    }
    let status = store.status();
    assert_eq!((status.connects, status.connect_errors), (4, 0));
}
