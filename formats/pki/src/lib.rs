//! X.509 certificates, CRLs and CMS, read and written.
