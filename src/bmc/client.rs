//! HTTPS requests to a BMC: with limits, and with answers that are believed only after they were parsed.

use std::net::IpAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use ureq::http::{HeaderMap, Request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use zeroize::Zeroizing;

use super::access::Access;
use super::reading::shorten;
use super::tls::{Tls, Verifier};
use super::tls_fault::explain_fault;
use crate::fs::Sha256Sum;

/// The longest time for a connection with its handshake.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The longest time for a request with its answer. BMCs take seconds, and busy ones half a minute.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// The largest body of an answer, in bytes.
const LARGEST_BODY: u64 = 1 << 20;
/// How often a question is asked that gets no answer, and the pause between two tries.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(4);
/// After this time, a question that got no answer is not asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The HTTPS client of one BMC.
pub(super) struct Client {
    agent: ureq::Agent,
    verifier: Arc<Verifier>,
    /// `https://` and the address.
    origin: String,
    address: IpAddr,
    node: String,
    user: String,
    /// The value of the header `Authorization`.
    basic: Zeroizing<String>,
}

/// The answer of a BMC.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    /// The body, if it is JSON; else null.
    pub(super) body: Value,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct NoAnswer {
    pub(super) error: anyhow::Error,
    /// Whether the next try may succeed.
    is_passing: bool,
}

impl Client {
    /// Makes the client of the BMC that `access` describes; connects nowhere yet.
    ///
    /// # Errors
    /// When the trusted CA can't be used.
    pub(super) fn new(access: &Access) -> Result<Self> {
        let verifier = Verifier::new(&access.trust)?;
        let tls = Tls::new(access.address, Arc::clone(&verifier))?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The password goes to the BMC, and to no proxy that the environment names.
            .proxy(None)
            .user_agent("plasmagen")
            .max_idle_connections(0)
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_global(Some(ANSWER_TIME))
            .build();
        let chain = ().chain(TcpConnector::default()).chain(tls);
        let agent = ureq::Agent::with_parts(config, chain, DefaultResolver::default());
        let pair = Zeroizing::new(format!("{}:{}", access.user, *access.password));
        Ok(Self {
            agent,
            verifier,
            origin: match access.address {
                IpAddr::V4(v4) => format!("https://{v4}"),
                IpAddr::V6(v6) => format!("https://[{v6}]"),
            },
            address: access.address,
            node: access.node.clone(),
            user: access.user.clone(),
            basic: Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()))),
        })
    }

    /// Asks for `path`, several times if the BMC is busy or does not answer.
    ///
    /// # Errors
    /// When there is no answer, or another one than success.
    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        let begin = Instant::now();
        for attempt in 1.. {
            let is_last = attempt == TRIES || begin.elapsed() > PATIENCE;
            match self.send("GET", path, None, None) {
                Ok(answer) if answer.status >= 500 && !is_last => {}
                Ok(answer) => return self.expect_success(path, answer),
                Err(no_answer) if no_answer.is_passing && !is_last => {}
                Err(no_answer) => return Err(no_answer.error),
            }
            sleep(PAUSE);
        }
        Err(anyhow!("the BMC does not answer"))
    }

    /// Sends a request once, and returns the answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer, the user is refused, or the BMC sends the request elsewhere.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Answer, NoAnswer> {
        let final_fault = |error: anyhow::Error| NoAnswer { error, is_passing: false };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header("Accept", "application/json")
            // A compressed answer has another ETag.
            .header("Accept-Encoding", "identity")
            .header("OData-Version", "4.0")
            .header("Connection", "close")
            .header("Authorization", self.basic.as_str());
        if let Some(tag) = if_match {
            request = request.header("If-Match", tag);
        }
        let sent = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body.to_string());
                self.agent.run(request.context("a request could not be made").map_err(final_fault)?)
            }
            None => {
                self.agent.run(request.body(()).context("a request could not be made").map_err(final_fault)?)
            }
        };
        let mut response = sent.map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        let etag = read_etag(response.headers());
        if matches!(status, 300..=399) {
            return Err(final_fault(anyhow!(
                "the BMC sends {path} elsewhere (HTTP {status}), which is not followed"
            )));
        }
        if status == 401 {
            return Err(final_fault(anyhow!(
                "the BMC refuses the user `{}` with this password (HTTP 401): compare both with those at the BMC",
                self.user
            )));
        }
        let bytes = response.body_mut().with_config().limit(LARGEST_BODY).read_to_vec();
        let bytes = bytes.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(limit) => {
                final_fault(anyhow!("the BMC's answer to {path} has more than {limit} bytes"))
            }
            error => self.explain(error),
        })?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, etag, body })
    }

    /// Looks at the certificate that the BMC shows, which the verifier refuses so that nothing is sent.
    ///
    /// # Errors
    /// When the BMC shows no certificate.
    pub(super) fn look(&self) -> Result<Sha256Sum> {
        match (self.send("GET", "/redfish/v1", None, None), self.verifier.shown()) {
            (Err(_), Some(shown)) => Ok(shown),
            (Err(no_answer), None) => Err(no_answer.error),
            (Ok(_), _) => Err(anyhow!("the BMC at {} answers without a certificate", self.address)),
        }
    }

    fn explain(&self, error: ureq::Error) -> NoAnswer {
        let (error, is_passing) = explain_fault(error, self.address, &self.node, &self.verifier);
        NoAnswer { error, is_passing }
    }

    fn expect_success(&self, path: &str, answer: Answer) -> Result<Answer> {
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(anyhow!("the BMC refuses {path} to the user `{}`: {}", self.user, answer.describe())),
        }
    }
}

impl Answer {
    /// Whether the request has succeeded.
    pub(super) fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The identifiers of the messages in an error, without their registry and version: `PropertyNotWritable`.
    pub(super) fn message_ids(&self) -> impl Iterator<Item = &str> {
        let messages = self.body["error"]["@Message.ExtendedInfo"].as_array();
        let ids = messages.into_iter().flatten().filter_map(|message| message["MessageId"].as_str());
        ids.chain(self.body["error"]["code"].as_str()).filter_map(|id| id.rsplit('.').next())
    }

    /// The status, and what the BMC says about it.
    pub(super) fn describe(&self) -> String {
        let error = &self.body["error"];
        let said =
            error["@Message.ExtendedInfo"].as_array().and_then(|list| list.first()?["Message"].as_str());
        match said.or_else(|| error["message"].as_str()) {
            Some(said) => format!("HTTP {}, {}", self.status, shorten(said)),
            None => format!("HTTP {}", self.status),
        }
    }
}

/// The longest ETag that is sent back, in bytes.
const LONGEST_ETAG: usize = 256;

fn read_etag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get("ETag")?.to_str().ok()?.trim();
    (!tag.is_empty() && tag.len() <= LONGEST_ETAG).then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_is_described_whatever_its_form() {
        let answer = |body| Answer { status: 400, etag: None, body };
        let info = json!({ "error": { "code": "Base.1.8.GeneralError", "message": "general", "@Message.ExtendedInfo": [
            { "MessageId": "iLO.2.24.UnableToModifyDuringSystemPOST", "Message": "in POST" } ] } });
        let answered = answer(info);
        assert_eq!(answered.describe(), "HTTP 400, in POST");
        let ids: Vec<_> = answered.message_ids().collect();
        assert_eq!(ids, ["UnableToModifyDuringSystemPOST", "GeneralError"]);
        for body in [
            Value::Null,
            json!([]),
            json!({ "error": 5 }),
            json!({ "error": { "@Message.ExtendedInfo": [7] } }),
        ] {
            assert_eq!(answer(body).describe(), "HTTP 400");
        }
        let long = answer(json!({ "error": { "message": "x".repeat(5000) } })).describe();
        assert!(long.chars().count() < 400, "{long}");
    }
}
