//! `GET /metrics` on an address of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::{Family, Metrics};
use crate::config::MetricsConfig;
use crate::listen::ListenError;

/// Connections at a time; more wait in the system's line. A scraper needs one.
const CONNECTIONS_MAX: usize = 8;

/// A scraper sends its few headers at once.
const HEADERS_TIME_MAX: Duration = Duration::from_secs(2);

/// From accepting a connection to the last byte of the answer: a scraper's usual patience.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest request head; hyper takes no less.
const HEAD_BYTES_MAX: usize = 8192;

/// After a connection that the system could not give, mostly for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

type Moment = dyn Fn() -> Vec<Family> + Send + Sync;

/// An open port for scrapers that answers as soon as it is served.
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    figures: Figures,
}

#[derive(Clone)]
struct Figures {
    metrics: Metrics,
    moment: Arc<Moment>,
    /// One scrape at a time, however many ask.
    writing: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Endpoint")
            .field(&self.address)
            .finish()
    }
}

impl Endpoint {
    /// Opens the port, if the configuration asks for one. `moment` is asked at each scrape, on a
    /// thread that may wait.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn open(
        config: Option<&MetricsConfig>,
        metrics: &Metrics,
        moment: impl Fn() -> Vec<Family> + Send + Sync + 'static,
    ) -> Result<Option<Self>, ListenError> {
        let Some(config) = config else {
            return Ok(None);
        };
        let cannot = |error: std::io::Error| ListenError::new(config.listen, &error);
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        Ok(Some(Self {
            address: listener.local_addr().map_err(cannot)?,
            listener,
            figures: Figures {
                metrics: metrics.clone(),
                moment: Arc::new(moment),
                writing: Arc::default(),
            },
        }))
    }

    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers scrapers until what comes back is dropped.
    #[must_use]
    pub fn start(self) -> JoinSet<()> {
        let mut serving = JoinSet::new();
        serving.spawn(self.serve());
        serving
    }

    async fn serve(self) {
        tracing::info!(address = %self.address, "figures are given at /metrics");
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            // Those that have ended need not be remembered.
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let answering = answer_one(stream, self.figures.clone());
                    connections.spawn(async move {
                        let _place = place;
                        // A connection that takes longer is cut; who it was asks again.
                        let _ended = tokio::time::timeout(CONNECTION_TIME_MAX, answering).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection for a scraper");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}

/// One request, then the connection ends.
async fn answer_one(stream: TcpStream, figures: Figures) {
    let service = service_fn(move |request| {
        let figures = figures.clone();
        async move { Ok::<_, Infallible>(figures.answer(&request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a scraper's connection broke off");
    }
}

impl Figures {
    /// The body of a request is never read.
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != "/metrics" {
            return plain(StatusCode::NOT_FOUND, "only /metrics is here\n");
        }
        if request.method() != Method::GET {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            let only = hyper::header::HeaderValue::from_static("GET");
            refused.headers_mut().insert(ALLOW, only);
            return refused;
        }
        match self.clone().text().await {
            Some(text) => response(StatusCode::OK, TEXT, text.into()),
            None => plain(StatusCode::INTERNAL_SERVER_ERROR, "no figures now\n"),
        }
    }

    async fn text(self) -> Option<Vec<u8>> {
        let Self {
            metrics,
            moment,
            writing,
        } = self;
        let _alone = writing.lock().await;
        let written = tokio::task::spawn_blocking(move || metrics.text(moment())).await;
        written.unwrap_or_default()
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", text.into())
}

fn response(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
