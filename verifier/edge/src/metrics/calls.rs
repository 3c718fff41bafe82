//! Every call by its method and what came of it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};
use prost::Message as _;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic_types::StatusExt as _;

/// What a path that is no method of ours is counted as.
const NO_METHOD: &str = "unknown";

/// The calls of one service.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Every method of the interface, as its path without the first slash.
    methods: BTreeSet<String>,
    ended: IntCounterVec,
    seconds: HistogramVec,
    under_way: IntGauge,
}

impl Calls {
    pub(super) fn new(registry: &Registry) -> Self {
        let under_way = IntGauge::new(
            "yinxin_requests_in_flight",
            "Calls that have not been answered yet.",
        )
        .expect(super::GOOD);
        registry
            .register(Box::new(under_way.clone()))
            .expect(super::GOOD);
        Self {
            methods: methods(),
            ended: super::counters(
                registry,
                "yinxin_requests_total",
                "Calls by method and stable reason; OK for an answer, CANCELLED when the caller \
                 went away, GRPC_… where the transport itself refused.",
                &["method", "reason"],
            ),
            seconds: super::durations(
                registry,
                "yinxin_request_seconds",
                "From a call's header to its answer or refusal; sending the answer is not in it.",
                &["method"],
            ),
            under_way,
        }
    }

    fn begin(self: &Arc<Self>, path: &str) -> UnderWay {
        self.under_way.inc();
        let method = self.methods.get(path.trim_start_matches('/'));
        UnderWay {
            method: method.map_or(NO_METHOD, String::as_str).to_owned(),
            calls: Arc::clone(self),
            since: Instant::now(),
            reason: None,
        }
    }
}

fn methods() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(yinxin_proto::FILE_DESCRIPTOR_SET)
        .unwrap_or_default();
    let mut methods = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let (package, service) = (file.package(), service.name());
                methods.insert(format!("{package}.{service}/{}", method.name()));
            }
        }
    }
    methods
}

/// A call that is counted when it ends, however it ends.
struct UnderWay {
    calls: Arc<Calls>,
    method: String,
    since: Instant,
    reason: Option<String>,
}

impl UnderWay {
    fn end<T>(mut self, answer: &http::Response<T>) {
        self.reason = Some(reason(answer));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let calls = &self.calls;
        calls.under_way.dec();
        let reason = self.reason.as_deref().unwrap_or("CANCELLED");
        calls
            .ended
            .with_label_values(&[&*self.method, reason])
            .inc();
        let seconds = self.since.elapsed().as_secs_f64();
        let times = calls.seconds.with_label_values(&[&*self.method]);
        times.observe(seconds);
    }
}

/// The stable reason of an answer; all of them are ours, never a caller's words.
fn reason<T>(answer: &http::Response<T>) -> String {
    let headers = || Status::from_header_map(answer.headers());
    // tonic leaves the status of a refusal in the answer.
    let Some(status) = answer.extensions().get().cloned().or_else(headers) else {
        return "OK".to_owned();
    };
    match status.get_details_error_info() {
        Some(info) if info.domain == yinxin_proto::ERROR_DOMAIN => info.reason,
        Some(_) | None => format!("GRPC_{:?}", status.code()).to_ascii_uppercase(),
    }
}

/// A gRPC service whose calls are counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted<S> {
    service: S,
    calls: Arc<Calls>,
}

impl<S> Counted<S> {
    pub(crate) fn new(service: S, calls: Arc<Calls>) -> Self {
        Self { service, calls }
    }
}

impl<S: NamedService> NamedService for Counted<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Counted<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let under_way = self.calls.begin(request.uri().path());
        let answering = self.service.call(request);
        Box::pin(async move {
            let answer = answering.await?;
            under_way.end(&answer);
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::Shape;

    fn counted(calls: &Calls, method: &str, reason: &str) -> u64 {
        calls.ended.with_label_values(&[method, reason]).get()
    }

    #[test]
    fn a_call_counts_once_by_method_and_reason_and_no_caller_makes_a_label() {
        let calls = Arc::new(Calls::new(&Registry::new()));
        let seal = "yinxin.v1.SealingService/SealDocument";
        let end = |path: &str, status: Option<Status>| {
            let under_way = calls.begin(path);
            under_way.end(&match status {
                Some(status) => status.into_http::<()>(),
                None => http::Response::new(()),
            });
        };
        let ours = || Shape::hidden(Code::Unavailable, "KEY_STORE", "not now").into_status(&"x");
        end(&format!("/{seal}"), None);
        end(&format!("/{seal}"), Some(ours()));
        end(&format!("/{seal}"), Some(Status::out_of_range("too long")));
        end(
            "/yinxin.v1.SealingService/ByMe",
            Some(Status::unimplemented("")),
        );
        drop(calls.begin(&format!("/{seal}")));
        for reason in ["OK", "KEY_STORE", "GRPC_OUTOFRANGE", "CANCELLED"] {
            assert_eq!(counted(&calls, seal, reason), 1, "{reason}");
        }
        assert_eq!(counted(&calls, NO_METHOD, "GRPC_UNIMPLEMENTED"), 1);
        assert_eq!(calls.under_way.get(), 0);
    }
}
