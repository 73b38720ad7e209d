//! An answer of the service, and what stories ask of it. A broken expectation shows the whole exchange.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeSet;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
    /// The body as JSON; null when it is none.
    pub(crate) body: Value,
    /// The method and path that were asked.
    asked: String,
}

/// Sends a request that a story has made up.
pub(crate) trait Send {
    /// The answer; a story for which none came has failed.
    async fn answer(self) -> Answer;
    /// The answer, if one came.
    async fn try_answer(self) -> reqwest::Result<Answer>;
}

impl Send for RequestBuilder {
    async fn answer(self) -> Answer {
        self.try_answer().await.expect("the server answers")
    }

    async fn try_answer(self) -> reqwest::Result<Answer> {
        let (client, request) = self.build_split();
        let request = request?;
        let asked = format!("{} {}", request.method(), request.url());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            text,
            body,
            asked,
        })
    }
}

impl Answer {
    /// Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.asked, self.text);
        self
    }

    /// Fails unless it is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{}",
            answer.asked
        );
        assert_eq!(answer.body["code"], code, "{} answered {}", answer.asked, answer.text);
        assert_eq!(answer.body["status"], status, "{}", answer.asked);
        assert_eq!(
            answer.body["request_id"],
            answer.header("x-request-id"),
            "{}",
            answer.asked
        );
        answer
    }

    /// Fails unless it is a problem document whose faults are exactly these, as `pointer code`, in any order.
    #[track_caller]
    pub(crate) fn expect_faults(self, status: u16, faults: &[&str]) -> Self {
        let answer = self.expect(status);
        let told = answer.faults();
        let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
        assert_eq!(
            told,
            faults.iter().copied().collect(),
            "{} answered {}",
            answer.asked,
            answer.text
        );
        answer
    }

    /// The faults that a problem document tells, as `pointer code`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let faults = self.body["errors"].as_array().into_iter().flatten();
        faults
            .map(|fault| format!("{} {}", text(&fault["pointer"]), text(&fault["code"])))
            .collect()
    }

    /// A header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("not a text"))
    }

    /// The id of the record in the body.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        id_of(&self.body)
    }

    /// The records of a list, the events of a feed, the results of a batch.
    #[track_caller]
    pub(crate) fn data(&self) -> &[Value] {
        self.body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{} answered {}", self.asked, self.text))
    }

    /// The ids in a list.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.data().iter().map(id_of).collect()
    }

    /// The cursor of the next page, if there is one.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        self.body["page"]["next_cursor"].as_str().map(str::to_owned)
    }
}

/// The id of a record.
#[track_caller]
pub(crate) fn id_of(record: &Value) -> String {
    record["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id in {record}"))
        .to_owned()
}
