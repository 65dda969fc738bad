//! What happened in a scenario: what was said, asked, and formed.

use serde_json::{Value, json};

/// What happened in a scenario.
#[derive(Debug)]
pub(crate) struct Outcome(pub(crate) Value);

impl Outcome {
    /// Every line that the runs of a step said: each is JSON with a level and a message.
    pub(crate) fn said(&self, step: usize, run: usize) -> Vec<String> {
        let said = self.0["steps"][step][run]["said"].as_str().unwrap();
        let line = |line: &str| {
            let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {said}"));
            let keys: Vec<_> = parsed.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["level", "message"], "{line}");
            format!("{} {}", parsed["level"].as_str().unwrap(), parsed["message"].as_str().unwrap())
        };
        said.lines().map(line).collect()
    }

    /// How the run ended: a number below zero is that of a signal.
    pub(crate) fn code(&self, step: usize, run: usize) -> i64 {
        self.0["steps"][step][run]["code"].as_i64().unwrap()
    }

    /// The run ended with `code`, and its last line holds `words`.
    #[track_caller]
    pub(crate) fn ends(&self, step: usize, run: usize, code: i64, words: &str) -> &Self {
        assert_eq!(self.code(step, run), code, "{:#?}", self.said(step, run));
        let last = self.said(step, run).pop().unwrap();
        assert!(last.contains(words), "{words:?} is not in {last}: {self:#?}");
        self
    }

    /// The requests `asked`, as who asked whom with which body.
    pub(crate) fn requests(&self, asked: &str) -> Vec<(String, String, Value)> {
        let all = self.0["requests"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.filter(|request| request["asked"] == asked)
            .map(|request| (text(&request["from"]), text(&request["to"]), body(&request["body"])))
            .collect()
    }

    /// All nodes that are in a cluster of `service`, which must be one, with these members and formed of `peers`.
    #[track_caller]
    pub(crate) fn one_cluster(&self, service: &str, peers: &Value, members: &[&str]) -> Vec<String> {
        let found = &self.0["clusters"][service];
        assert_eq!(found["clusters"], 1, "{self:#?}");
        let nodes = found["nodes"].as_object().unwrap();
        for (node, cluster) in nodes {
            assert_eq!([&cluster["peers"], &cluster["members"]], [peers, &json!(members)], "{node}");
        }
        assert_eq!(self.0["strangers"], json!([]), "somebody followed a redirect");
        nodes.keys().cloned().collect()
    }

    /// Nobody formed a cluster, and nobody went where a redirect leads.
    #[track_caller]
    pub(crate) fn formed_nothing(&self) -> &Self {
        assert_eq!(self.requests("POST /admin/cluster/init"), [], "{self:#?}");
        assert_eq!(self.0["strangers"], json!([]), "somebody followed a redirect");
        self
    }
}

fn body(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap_or(Value::Null)
}
