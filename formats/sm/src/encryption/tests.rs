use super::*;

/// Gives the same bytes for ever.
struct Fixed([u8; 32]);

impl Entropy for Fixed {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), crate::EntropyUnavailable> {
        destination.copy_from_slice(&self.0);
        Ok(())
    }
}

fn bytes<const N: usize>(hexadecimal: &str) -> [u8; N] {
    let mut bytes = [0; N];
    for (place, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *place = u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap();
    }
    bytes
}

/// GB/T 32918.5-2017, annex C: the key, k, and what they make of "encryption standard".
#[test]
fn the_published_example_comes_out() {
    let key = SecretKey::from_bytes(&bytes(
        "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8",
    ))
    .unwrap();
    let k = bytes("59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21");
    let message = b"encryption standard";
    let made = key.public_key().encrypt(message, &mut Fixed(k)).unwrap();
    assert_eq!(
        made.masked,
        bytes::<19>("21886CA989CA9C7D58087307CA93092D651EFA")
    );
    assert_eq!(
        made.hash,
        bytes("59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766")
    );
    assert_eq!(key.decrypt(&made).unwrap().as_slice(), message);
    let der = made.to_der();
    assert_eq!(Ciphertext::from_der(&der).unwrap(), made);
}

#[test]
fn a_ciphertext_changed_anywhere_is_refused() {
    let key = SecretKey::from_bytes(&[0x55; 32]).unwrap();
    let der = key
        .public_key()
        .encrypt(b"0123456789abcdef", &mut Fixed([0x33; 32]))
        .unwrap()
        .to_der();
    for at in 0..der.len() {
        for mask in [1, 0x80] {
            let mut changed = der.clone();
            changed[at] ^= mask;
            let opened = Ciphertext::from_der(&changed).and_then(|one| key.decrypt(&one));
            assert!(opened.is_err(), "byte {at}");
        }
        assert!(Ciphertext::from_der(&der[..at]).is_err());
    }
    let other = SecretKey::from_bytes(&[0x56; 32]).unwrap();
    let ciphertext = Ciphertext::from_der(&der).unwrap();
    assert_eq!(other.decrypt(&ciphertext), Err(Error::DecryptionFailed));
}
