//! A thread with a session of its own, and the only place where a device is called.

use std::sync::Arc;
use std::time::Instant;

use yinxin_pki::{PublicKey, verify_signature};
use yinxin_signer::keys::KeyStoreError;

use super::Shared;
use super::job::Job;
use super::metrics::count;
use super::state::Task;
use crate::device::Session;
use crate::{OpenError, self_test};

pub(super) fn run(shared: &Arc<Shared>, id: u64) {
    let mut session: Option<Box<dyn Session>> = None;
    loop {
        match shared.next(id, session.is_some()) {
            Task::Connect => session = connect(shared, id),
            Task::Sign(job) => {
                if let Some(open) = &mut session
                    && !sign(shared, id, open.as_mut(), &job)
                {
                    session = None;
                }
            }
            Task::Check(number) => {
                if let Some(open) = &mut session
                    && !check(shared, id, open.as_mut(), number)
                {
                    session = None;
                }
            }
            Task::DropSession => session = None,
            // `next` waits by itself.
            Task::Wait(_) => {}
            Task::End => break,
        }
    }
    drop(session);
    shared.ended(id);
}

fn connect(shared: &Arc<Shared>, id: u64) -> Option<Box<dyn Session>> {
    let opened = shared.device.connect().and_then(|connected| {
        let mut session = connected.session;
        for (index, spki_der) in connected.spkis.into_iter().enumerate() {
            test(shared, session.as_mut(), index, spki_der)?;
        }
        Ok(session)
    });
    match opened {
        Ok(session) => {
            count(&shared.metrics.connects);
            shared.connected(id).then_some(session)
        }
        Err(error) => {
            count(&shared.metrics.connect_errors);
            shared.not_connected(id, error);
            None
        }
    }
}

/// The key is the expected one, and its public key verifies what it signs.
fn test(
    shared: &Shared,
    session: &mut dyn Session,
    index: usize,
    spki_der: Vec<u8>,
) -> Result<(), OpenError> {
    let Some(key) = shared.keys.get(index) else {
        return Ok(());
    };
    let expected = key
        .known
        .get()
        .map(|(spki_der, _)| spki_der)
        .or(key.facts.expected_spki.as_ref());
    let name = &key.facts.name;
    self_test::expect_public_key(name, expected.map(Vec::as_slice), &spki_der)?;
    self_test::run(name, &spki_der, &key.facts.algorithm, |message| {
        session.sign(index, message).map_err(|failed| failed.error)
    })?;
    if let Ok(public_key) = PublicKey::from_spki_der(&spki_der) {
        // Another session may have been faster, with the same key.
        let _ = key.known.set((spki_der, public_key));
    }
    Ok(())
}

/// False when the session is lost.
fn sign(shared: &Shared, id: u64, session: &mut dyn Session, job: &Arc<Job>) -> bool {
    let started = Instant::now();
    let signed = checked_signature(shared, session, job.key, &job.message);
    if let Some(key) = shared.keys.get(job.key) {
        // Before the answer: whoever has it finds it counted.
        let metrics = &key.metrics;
        metrics.waited.took(started.duration_since(job.asked));
        metrics.signing.took(started.elapsed());
        match &signed {
            Ok(_) => count(&metrics.signed),
            Err(failed) => metrics.failed(&failed.error),
        }
    }
    match signed {
        Ok(signature) => {
            job.answer(Ok(signature));
            true
        }
        Err(failed) if failed.session_lost => {
            shared.lost(id, Some(job), failed.error);
            false
        }
        Err(failed) => {
            job.answer(Err(failed.error));
            true
        }
    }
}

/// False when the session is lost.
fn check(shared: &Shared, id: u64, session: &mut dyn Session, number: usize) -> bool {
    let index = number.checked_rem(shared.keys.len()).unwrap_or(0);
    match checked_signature(shared, session, index, self_test::MESSAGE) {
        Ok(_) => true,
        Err(failed) => {
            shared.lost(id, None, failed.error);
            false
        }
    }
}

/// A signature that the public key verifies: a device that errs once in a thousand times, or is
/// made to, must not be believed (a single wrong RSA-CRT signature gives the key away).
fn checked_signature(
    shared: &Shared,
    session: &mut dyn Session,
    index: usize,
    message: &[u8],
) -> Result<Vec<u8>, crate::device::Failed> {
    let signed = session.sign(index, message);
    if signed.is_err() {
        count(&shared.metrics.errors);
    }
    let signature = signed?;
    let verified = shared.keys.get(index).and_then(|key| {
        let (_, public_key) = key.known.get()?;
        verify_signature(public_key, &key.facts.algorithm, message, &signature).ok()
    });
    if verified.is_some() {
        return Ok(signature);
    }
    count(&shared.metrics.errors);
    let key = shared.keys.get(index);
    if let Some(key) = key {
        count(&key.metrics.wrong_signatures);
    }
    let key = key.map(|key| key.facts.name.as_str()).unwrap_or_default();
    tracing::error!(device = %shared.name, key, "a wrong signature was thrown away");
    Err(crate::device::Failed {
        error: KeyStoreError::BadAnswer {
            key: key.to_owned(),
            why: "its public key does not verify the signature",
        },
        session_lost: true,
    })
}
