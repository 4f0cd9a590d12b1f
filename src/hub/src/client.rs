//! Requests: redirects are followed here, so that only the Hub itself sees the token; what may pass is tried again, not for
//! ever; and every answer has a bound.

use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Error, RequestBuilder, typestate::WithoutBody};

use crate::address::Address;
use crate::hub::Hub;
use crate::pace::Pace;
use crate::progress::Progress;

/// Redirects that are followed at most.
const REDIRECTS: usize = 6;
/// How long a connection, the beginning of an answer and each part of it may take.
const CONNECT: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(60);
const READ: Duration = Duration::from_secs(30);
/// Bytes that are read at once.
pub(crate) const PIECE: usize = 1 << 16;
/// Seconds that a server may ask to wait.
const LONGEST_PAUSE: u64 = 120;

/// The header by which a redirect says already what the file is.
pub(crate) const LINKED_ETAG: &str = "x-linked-etag";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// What a file is.
    Head,
    /// What is there, from this byte on.
    Get(u64),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may be over soon; perhaps the server says when.
    Passing(String, Option<Duration>),
    /// Trying again would not help.
    Lasting(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Lasting(why)
    }
}

/// Asks servers.
pub(crate) struct Client {
    agent: Agent,
    hub: Hub,
}

impl Client {
    pub(crate) fn new(hub: &Hub) -> Self {
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(READ))
            .user_agent(format!("pellucid/{}", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), hub: hub.clone() }
    }

    /// The URL of `path` on the Hub.
    pub(crate) fn address(&self, path: &str) -> Result<Address, String> {
        self.hub.endpoint.below(path)
    }

    /// Asks once, where redirects lead. An answer is one of success, one that a range is not satisfiable or, for
    /// [`Ask::Head`], a redirect with [`LINKED_ETAG`].
    pub(crate) fn send(&self, address: &Address, ask: Ask) -> Result<Response<Body>, Trouble> {
        let mut at = address.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.send_to(&at, ask)?;
            let is_enough = ask == Ask::Head && answer.headers().contains_key(LINKED_ETAG);
            if !answer.status().is_redirection() || is_enough {
                return self.judged(answer, &at);
            }
            let location = text_of(&answer, header::LOCATION.as_str()).ok_or_else(|| {
                Trouble::Lasting(format!("{} answers {} and no place to go to", at.host(), answer.status().as_u16()))
            })?;
            at = at.redirected(location).map_err(|why| format!("{} {why}", at.host()))?;
        }
        Err(Trouble::Lasting(format!("{} redirects more than {REDIRECTS} times", address.host())))
    }

    fn send_to(&self, address: &Address, ask: Ask) -> Result<Response<Body>, Trouble> {
        let request = match ask {
            Ask::Head => self.agent.head(address.uri()),
            Ask::Get(0) => self.agent.get(address.uri()),
            Ask::Get(from) => self.agent.get(address.uri()).header(header::RANGE, format!("bytes={from}-")),
        };
        let request = self.signed(request.header(header::ACCEPT_ENCODING, "identity"), address);
        request.call().map_err(|error| unanswered(&error, address.host()))
    }

    /// The request with the token, if it goes to the Hub itself.
    fn signed(&self, request: RequestBuilder<WithoutBody>, address: &Address) -> RequestBuilder<WithoutBody> {
        match &self.hub.token {
            Some(token) if address.origin() == self.hub.endpoint.origin() => {
                request.header(header::AUTHORIZATION, token.header())
            }
            _ => request,
        }
    }

    /// The answer, unless it says that there is none.
    fn judged(&self, answer: Response<Body>, address: &Address) -> Result<Response<Body>, Trouble> {
        let (status, host) = (answer.status(), address.host());
        let is_hub = address.origin() == self.hub.endpoint.origin();
        match status.as_u16() {
            200 | 206 | 300..=399 | 416 => Ok(answer),
            401 | 403 | 404 if is_hub => Err(Trouble::Lasting(self.refusal(status, text_of(&answer, "x-error-code")))),
            408 | 425 | 429 | 500..=599 => {
                let after = text_of(&answer, header::RETRY_AFTER.as_str()).and_then(|text| text.parse::<u64>().ok());
                if let Some(seconds) = after.filter(|seconds| *seconds > LONGEST_PAUSE) {
                    let why = format!("{host} answers {status} and asks to wait for {seconds} seconds; try again then");
                    return Err(Trouble::Lasting(why));
                }
                Err(Trouble::Passing(format!("{host} answers {}", status.as_u16()), after.map(Duration::from_secs)))
            }
            // A signed URL may have run out; the Hub signs a new one.
            401 | 403 if !is_hub => Err(Trouble::Passing(format!("{host} answers {}", status.as_u16()), None)),
            other => Err(Trouble::Lasting(format!("{host} answers {other}"))),
        }
    }

    /// What the Hub means when it shows nothing. For a model that is not there it answers 401 to strangers.
    fn refusal(&self, status: StatusCode, code: Option<&str>) -> String {
        let known = self.hub.token.is_some();
        let token = if known { "a token of an account that may" } else { "a token" };
        match (code, status.as_u16(), known) {
            (Some("GatedRepo"), ..) => {
                format!(
                    "is gated: accept its terms on its page of the Hub, and set HF_TOKEN to {token} (hf.co/settings/tokens)"
                )
            }
            (Some("RevisionNotFound"), ..) => {
                "has no such revision; --revision takes a branch, a tag or a commit".to_owned()
            }
            (Some("EntryNotFound"), ..) => "has no such file".to_owned(),
            (_, 401, true) => "the Hub does not take the token; check the name of the model, and HF_TOKEN".to_owned(),
            (_, 401, false) => "is not there, or is private; check its name, or set HF_TOKEN".to_owned(),
            (_, 403, _) => format!("may not be read: it is gated or private; set HF_TOKEN to {token}"),
            _ => "is not there; check its name".to_owned(),
        }
    }

    /// A list of files, of at most `limit` bytes, tried again as long as that may help.
    pub(crate) fn listing(
        &self,
        address: &Address,
        limit: u64,
        progress: &mut dyn Progress,
    ) -> Result<Vec<u8>, String> {
        self.patiently(progress, || {
            let mut from = self.send(address, Ask::Get(0))?.into_body().into_reader().take(limit + 1);
            let (mut content, mut piece, mut pace) = (Vec::new(), vec![0; PIECE], self.pace());
            loop {
                let count = from.read(&mut piece).map_err(|error| cut(&error))?;
                content.extend_from_slice(&piece[..count]);
                if content.len() as u64 > limit {
                    return Err(Trouble::Lasting(format!("its list of files has more than {limit} bytes")));
                }
                if count == 0 {
                    return Ok(content);
                }
                if pace.is_too_slow(count, Instant::now()) {
                    return Err(slow());
                }
            }
        })
    }

    /// How fast an answer must come that begins now.
    pub(crate) fn pace(&self) -> Pace {
        Pace::of(self.hub.patience, Instant::now())
    }

    /// What `attempt` comes to in the end.
    pub(crate) fn patiently<T>(
        &self,
        progress: &mut dyn Progress,
        mut attempt: impl FnMut() -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let mut failures = 0;
        loop {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(trouble) => self.wait(&mut failures, trouble, progress)?,
            }
        }
    }

    /// Waits after a failed attempt, which is counted.
    ///
    /// # Errors
    /// When there have been enough, or another one would not help.
    pub(crate) fn wait(&self, failures: &mut usize, trouble: Trouble, to: &mut dyn Progress) -> Result<(), String> {
        let (why, after) = match trouble {
            Trouble::Lasting(why) => return Err(why),
            Trouble::Passing(why, after) => (why, after),
        };
        let Some(pause) = self.hub.pauses.get(*failures) else {
            return Err(format!("{why}, {} times; try again later", *failures + 1));
        };
        *failures += 1;
        let pause = after.unwrap_or(*pause);
        to.note(&format!("{why}; again in {} s", pause.as_secs_f64()));
        thread::sleep(pause);
        Ok(())
    }
}

/// A header that is text.
pub(crate) fn text_of<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Why a request had no answer.
fn unanswered(error: &Error, host: &str) -> Trouble {
    match error {
        Error::HostNotFound => no_host(host),
        // The standard library has no kind for this.
        Error::Io(error) if error.to_string().contains("lookup address") => no_host(host),
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => unknown(error, host),
        Error::Protocol(error) => {
            Trouble::Lasting(format!("{host} does not answer as a server of the web does ({error})"))
        }
        Error::Io(_) | Error::Timeout(_) | Error::ConnectionFailed => {
            Trouble::Passing(format!("no answer of {host} ({error})"), None)
        }
        error => unknown(error, host),
    }
}

fn no_host(host: &str) -> Trouble {
    Trouble::Lasting(format!("there is no host {host}, or no network; HF_ENDPOINT names another"))
}

fn unknown(error: &dyn std::fmt::Display, host: &str) -> Trouble {
    Trouble::Lasting(format!("{host} cannot be asked: {error}; SSL_CERT_FILE names certificates of your own"))
}

/// Why an answer is not waited for.
pub(crate) fn slow() -> Trouble {
    Trouble::Passing("next to nothing comes".to_owned(), None)
}

/// Why an answer ended before its end.
pub(crate) fn cut(error: &io::Error) -> Trouble {
    Trouble::Passing(format!("the connection was cut ({error})"), None)
}
