//! What both services have at their edge: TLS, configuration errors, the trust folder, the log,
//! the signal to stop, refusals, listening, figures.
//!
//! It knows no key of anybody's seal and none of the calls; what only one service does stays in
//! that service.

mod config;
mod listen;
mod metrics;
mod process;
mod refusal;
mod trust;

pub use config::{
    ConfigError, LogFormat, MetricsConfig, Tls, TrustConfig, files, read, read_toml, resolve,
    value_error,
};
pub use listen::{ListenError, Listening, MESSAGE_BYTES_MAX, Services, Transport};
pub use metrics::{BOUNDS_SECONDS, Endpoint, Family, Metrics, Spread, seconds_left};
pub use process::{asked_to_stop, start_log};
pub use refusal::Shape;
pub use trust::{read_seal_statuses, read_trust};
