//! The endpoint for figures, as a scraper and as somebody hostile meets it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use yinxin_edge::{Endpoint, Family, Metrics, MetricsConfig, Spread};

/// A service's figures on a port of their own, while the first two are kept.
fn open(metrics: &Metrics) -> (JoinSet<()>, Runtime, SocketAddr) {
    let config = MetricsConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        beyond_loopback: false,
    };
    let moment = || {
        let mut spread = Family::spread("made_up_wait_seconds", "Times counted elsewhere.");
        let times = Spread {
            bounds_seconds: &[0.5, 1.0],
            counts: &[3, 0, 1],
            sum_seconds: 7.5,
        };
        spread.add_spread(&[("device", "a\"b\\c\nd")], &times);
        let empty = Family::gauge("made_up_nothing", "Nothing at this moment.");
        vec![spread, empty]
    };
    let runtime = Runtime::new().unwrap();
    let endpoint = runtime
        .block_on(Endpoint::open(Some(&config), metrics, moment))
        .unwrap()
        .unwrap();
    let address = endpoint.address();
    let entered = runtime.enter();
    let serving = endpoint.start();
    drop(entered);
    (serving, runtime, address)
}

/// Everything that comes back for these bytes, until the other side closes.
fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // The other side may have closed already; then the answer says why.
    let _sent = stream.write_all(request);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_scraper_gets_the_text_format() {
    let metrics = Metrics::new("made-up", "1.2.3");
    let counter = metrics.counters("made_up_total", "Counted.", &["kind"]);
    counter.with_label_values(&["one"]).inc_by(2);
    let (_serving, _runtime, address) = open(&metrics);
    let answer = ask(address, b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    for line in [
        "# TYPE made_up_total counter",
        "made_up_total{kind=\"one\"} 2",
        "# TYPE made_up_wait_seconds histogram",
        "made_up_wait_seconds_bucket{device=\"a\\\"b\\\\c\\nd\",le=\"0.5\"} 3",
        "made_up_wait_seconds_bucket{device=\"a\\\"b\\\\c\\nd\",le=\"1\"} 3",
        "made_up_wait_seconds_bucket{device=\"a\\\"b\\\\c\\nd\",le=\"+Inf\"} 4",
        "made_up_wait_seconds_sum{device=\"a\\\"b\\\\c\\nd\"} 7.5",
        "made_up_wait_seconds_count{device=\"a\\\"b\\\\c\\nd\"} 4",
        "yinxin_build_info{service=\"made-up\",version=\"1.2.3\"} 1",
        "yinxin_requests_in_flight 0",
    ] {
        assert!(body.lines().any(|one| one == line), "{line}\nin\n{body}");
    }
    assert!(!body.contains("made_up_nothing"), "{body}");
}

#[test]
fn all_else_is_refused() {
    let (_serving, _runtime, address) = open(&Metrics::new("made-up", "0"));
    let long = format!("GET /metrics HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(64_000));
    let cases = [
        ("another path", "GET / HTTP/1.1\r\n\r\n", "404"),
        ("a longer path", "GET /metrics/a HTTP/1.1\r\n\r\n", "404"),
        (
            "POST",
            "POST /metrics HTTP/1.1\r\ncontent-length: 9\r\n\r\n",
            "405",
        ),
        ("a long head", &long, "431"),
        ("no HTTP", "\x16\x03\x01 hello\r\n\r\n", "400"),
    ];
    for (what, request, code) in cases {
        let answer = ask(address, request.as_bytes());
        let status = answer.split_whitespace().nth(1);
        assert_eq!(status, Some(code), "{what}: {answer}");
    }
}

#[test]
fn those_who_connect_and_say_nothing_keep_a_scraper_waiting_for_a_moment_only() {
    let (_serving, _runtime, address) = open(&Metrics::new("made-up", "0"));
    let silent: Vec<_> = (0..16)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let started = Instant::now();
    let answer = ask(address, b"GET /metrics HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    drop(silent);
}
