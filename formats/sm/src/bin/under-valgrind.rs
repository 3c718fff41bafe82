//! What the tests run under valgrind: `secrets` signs and makes keys with every secret marked
//! as undefined memory, `operation NAME COUNT` does one thing so many times.
//!
//! memcheck reports each branch and each address that depends on undefined memory. The library
//! marks what it makes public as defined again (src/declassify.rs).

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    x86_64::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    eprintln!("SKIPPED: client requests of valgrind are written for x86-64 only");
    std::process::ExitCode::SUCCESS
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::{hint::black_box, process::ExitCode, sync::Arc};
    use yinxin_sm::{
        CodePath, Entropy, EntropyUnavailable, Error, PreparedPublicKey, SecretKey, SigningContext,
        set_code_path, sm3, sm3_many,
    };

    const USAGE: &str = "under-valgrind (portable|adx) (secrets|leak|operation NAME COUNT)";
    const DIGEST: [u8; 32] = [7; 32];

    pub(super) fn main() -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (path, rest) = match arguments.split_first() {
            Some((&"portable", rest)) => (CodePath::Portable, rest),
            Some((&"adx", rest)) => (CodePath::Adx, rest),
            Some(_) | None => {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            }
        };
        if set_code_path(path).is_err() {
            eprintln!("SKIPPED: {path:?} is not on this processor, or valgrind hides it");
            return ExitCode::from(77);
        }
        let done = match rest {
            ["secrets"] => secrets(),
            ["leak"] => {
                leak();
                Ok(())
            }
            ["operation", name, count] => match count.parse() {
                Ok(count) => operation(name, count),
                Err(_) => Err(Error::Malformed { structure: "count" }),
            },
            _ => Err(Error::Malformed { structure: USAGE }),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Marks memory as undefined; outside valgrind nothing happens.
    #[expect(
        unsafe_code,
        reason = "a client request is a sequence of instructions that do nothing outside valgrind"
    )]
    fn poison(bytes: &mut [u8]) {
        /// `VALGRIND_MAKE_MEM_UNDEFINED` of memcheck.
        const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;
        let request = [
            MAKE_MEM_UNDEFINED,
            bytes.as_ptr().addr() as u64,
            bytes.len() as u64,
            0,
            0,
            0,
        ];
        // SAFETY: four rotations that add up to 128 bits and an exchange of a register with
        // itself.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                inout("rdx") 0_u64 => _,
                in("rax") request.as_ptr(),
                in("rdi") bytes.as_mut_ptr(),
            );
        }
    }

    /// Bytes that differ from call to call, all of them secret.
    struct Poisoned(u8);

    impl Entropy for Poisoned {
        fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
            for byte in &mut *destination {
                self.0 = self.0.wrapping_mul(5).wrapping_add(3);
                *byte = self.0;
            }
            poison(destination);
            Ok(())
        }
    }

    /// Everything that meets a secret.
    fn secrets() -> Result<(), Error> {
        let mut entropy = Poisoned(1);
        black_box(SecretKey::generate(&mut entropy)?);
        let mut secret = [3; 32];
        poison(&mut secret);
        let key = SecretKey::from_bytes(&secret)?;
        for _ in 0..2 {
            let signature = key.sign_digest(&DIGEST, &mut entropy)?;
            key.public_key().verify_digest(&DIGEST, &signature)?;
        }
        black_box(key.to_bytes());
        let ciphertext = key.public_key().encrypt(&[9; 16], &mut entropy)?;
        black_box(key.decrypt(&ciphertext)?);
        let context = SigningContext::new(Arc::new(key));
        for _ in 0..2 {
            let signature = context.sign_digest(&DIGEST, &mut entropy)?;
            context
                .secret_key()
                .public_key()
                .verify_digest(&DIGEST, &signature)?;
        }
        Ok(())
    }

    /// A branch on a secret, to see that it would be found.
    fn leak() {
        let mut secret = [3; 32];
        poison(&mut secret);
        if black_box(secret).first() == Some(&3) {
            black_box(0);
        }
    }

    fn operation(name: &str, count: u32) -> Result<(), Error> {
        let mut entropy = Poisoned(1);
        let key = Arc::new(SecretKey::from_bytes(&[3; 32])?);
        let signature = key.sign_digest(&DIGEST, &mut entropy)?;
        let public = key.public_key();
        let known = PreparedPublicKey::new(public);
        let context = SigningContext::new(Arc::clone(&key));
        let message = vec![0x5a; 4096];
        public.verify_digest(&DIGEST, &signature)?;
        for _ in 0..count {
            match name {
                "none" => {}
                "sign" => {
                    black_box(key.sign_digest(&DIGEST, &mut entropy)?);
                }
                "sign-prepared-512" => {
                    for _ in 0..512 {
                        black_box(context.sign_digest(&DIGEST, &mut entropy)?);
                    }
                }
                "verify" => public.verify_digest(&DIGEST, &signature)?,
                "verify-known" => known.verify_digest(&DIGEST, &signature)?,
                "table" => {
                    black_box(PreparedPublicKey::new(public));
                }
                "sm3-4096" => {
                    black_box(sm3(&message));
                }
                "sm3-8x4096" => {
                    black_box(sm3_many(&[&message[..]; 8]));
                }
                _ => {
                    return Err(Error::Malformed {
                        structure: "operation",
                    });
                }
            }
        }
        Ok(())
    }
}
