//! SM3 and SM2: digests, keys and signatures.
