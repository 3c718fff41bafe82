//! A service's figures, as a scraper reads them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

/// Lets a configuration of a trial installation give figures on a port that the system chooses.
pub fn ask_for(config: &Path) {
    let text = std::fs::read_to_string(config).unwrap();
    std::fs::write(config, text + "\n[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
}

/// One scrape.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The text as it came.
    pub text: String,
    values: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads /metrics once.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let values = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.parse().unwrap())
            });
        Self {
            values: values.collect(),
            text: text.to_owned(),
        }
    }

    /// The value of a series, written as in the text; 0 where there is none yet.
    #[must_use]
    pub fn value(&self, series: &str) -> f64 {
        self.values.get(series).copied().unwrap_or(0.0)
    }

    /// The sum over all series of a name, whatever their labels.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        let of_name = self.values.iter().filter(|(series, _)| {
            let rest = series.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        });
        of_name.map(|(_, value)| value).sum()
    }
}
