//! What one experiment showed, as a value: `--json` prints it as one object.

use crate::samples::Samples;
use crate::verdict::Verdict;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Collected while the experiment runs.
#[derive(Default)]
pub struct Record {
    name: String,
    claim: String,
    started: Option<Instant>,
    pub terminals: Vec<String>,
    pub text: Vec<String>,
    pub pictures: Vec<String>,
    pub seed: Option<u64>,
    programs: Vec<Value>,
    numbers: Vec<Value>,
}

impl Record {
    pub fn of(name: &str, claim: &str) -> Record {
        let started = Some(Instant::now());
        Record { name: name.to_owned(), claim: claim.to_owned(), started, ..Record::default() }
    }

    pub fn says(&mut self, label: &str, said: &[u8]) {
        self.programs.push(json!({ "label": label, "said": String::from_utf8_lossy(said) }));
    }

    pub fn count(&mut self, what: &str, count: u64, of: u64) {
        self.numbers.push(json!({ "what": what, "count": count, "of": of }));
    }

    pub fn measured(&mut self, what: &str, samples: &Samples) {
        self.numbers.push(json!({
            "what": what,
            "unit": samples.unit().trim(),
            "median": samples.median(),
            "least": samples.least(),
            "most": samples.most(),
            "trials": samples.count(),
        }));
    }

    /// Everything, on one line.
    pub fn json(&self, verdict: &Verdict) -> Value {
        let mut all = Map::new();
        let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
        put("experiment", json!(self.name));
        put("claim", json!(self.claim));
        put("verdict", json!(verdict.word()));
        match verdict {
            Verdict::AsStated(said) | Verdict::NotTested(said) | Verdict::Stopped(said) => {
                put("because", json!(said));
            }
            Verdict::NotAsStated(differences) => {
                let pair = |one: &crate::verdict::Difference| json!({ "expected": one.expected, "came": one.came });
                put("differences", differences.iter().map(pair).collect());
            }
        }
        put("numbers", json!(self.numbers));
        if let Some(seed) = self.seed {
            put("seed", json!(seed));
        }
        put("terminals", json!(self.terminals));
        put("programs", json!(self.programs));
        put("pictures", json!(self.pictures));
        put("text", json!(self.text));
        let took = self.started.map_or(0, |started| started.elapsed().as_millis() as u64);
        put("took_ms", json!(took));
        Value::Object(all)
    }
}
