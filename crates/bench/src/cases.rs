//! What is measured: the requests of each case, made of what a server holds, and what the case is to reach.

use crate::pgbench::Effect;
use crate::requests::{NUMBER, Request, Stream};
use crate::service::Service;
use crate::statements::{ROWS, Statement};
use crate::{Failure, Result};
use serde_json::{Value, json};

/// What a case is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// This part of what the bare server does.
    OfBare(f64),
    /// This part of the ceiling.
    OfCeiling(f64),
    /// This many times what pgbench does.
    OfPgbench(f64),
    /// So many requests a second.
    PerSecond(f64),
    /// Nothing is set.
    None,
}

/// One kind of request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) on_sqlite: Goal,
    pub(crate) on_postgres: Goal,
}

/// All cases, in the order of the table.
pub(crate) const CASES: &[Case] = &[
    case("get", "get by id", Goal::OfBare(0.45), Goal::OfCeiling(0.5)),
    case("by_external_id", "get by external id", Goal::None, Goal::None),
    case(
        "list",
        "list of 50, filtered and sorted",
        Goal::OfBare(0.11),
        Goal::OfCeiling(0.5),
    ),
    case(
        "deep",
        "the same list, far down",
        Goal::OfBare(0.11),
        Goal::OfCeiling(0.5),
    ),
    case(
        "search",
        "fragment of a name or e-mail, 20 rows",
        Goal::PerSecond(2500.0),
        Goal::OfPgbench(1.5),
    ),
    case(
        "latest",
        "50 latest interactions of a customer",
        Goal::OfBare(0.12),
        Goal::OfCeiling(0.5),
    ),
    case("360", "customer 360", Goal::None, Goal::None),
    case(
        "create",
        "create, durable, with its event",
        Goal::OfBare(0.11),
        Goal::OfCeiling(0.5),
    ),
    case(
        "patch",
        "patch with If-Match",
        Goal::OfBare(0.11),
        Goal::OfCeiling(0.45),
    ),
    case(
        "batch",
        "1,000 creates in one request",
        Goal::PerSecond(60.0),
        Goal::PerSecond(20.0),
    ),
    case("changes", "change feed, a page of 50", Goal::None, Goal::None),
    case("preview", "segment preview", Goal::None, Goal::None),
    case(
        "pipeline",
        "open pipeline by stage",
        Goal::PerSecond(1200.0),
        Goal::OfPgbench(2.0),
    ),
];

const fn case(key: &'static str, title: &'static str, on_sqlite: Goal, on_postgres: Goal) -> Case {
    Case {
        key,
        title,
        on_sqlite,
        on_postgres,
    }
}

impl Case {
    /// Over how many connections it is measured, of those that are.
    pub(crate) fn connections(&self, all: &[u32]) -> Vec<u32> {
        if self.key == "batch" { vec![4] } else { all.to_vec() }
    }

    /// How long a measurement takes at least, in seconds: no shorter than some answers.
    pub(crate) fn seconds(&self) -> u32 {
        if matches!(self.key, "batch" | "preview") { 4 } else { 1 }
    }

    /// What one would plainly ask PostgreSQL instead, where the case is to be faster than that, or asks with more values
    /// than pgbench takes: `$1` is the tenant, `$2` what is asked about.
    pub(crate) fn plain(&self) -> Option<&'static str> {
        match self.key {
            "batch" => Some(PLAIN_BATCH),
            "search" => Some(PLAIN_SEARCH),
            "pipeline" => Some(PLAIN_PIPELINE),
            _ => None,
        }
    }

    pub(crate) fn effect(&self) -> Effect {
        if self.key == "patch" {
            Effect::Customer
        } else {
            Effect::None
        }
    }

    /// Whether each request needs a number of its own.
    pub(crate) fn writes(&self) -> bool {
        matches!(self.key, "create" | "batch")
    }
}

/// As many rows as Rapport writes for a thousand new customers, in one statement, from those of a customer that is there.
const PLAIN_BATCH: &str = include_str!("plain_batch.sql");

const PLAIN_SEARCH: &str = "SELECT * FROM customers WHERE tenant_id = $1 AND deleted_at IS NULL AND id IN \
    (SELECT record_id FROM search_texts WHERE tenant_id = $1 AND kind = 'customer' AND text LIKE $2) ORDER BY id LIMIT 20";

const PLAIN_PIPELINE: &str = "SELECT stage_id, amount_currency, count(*), sum(amount_minor) FROM opportunities \
    WHERE tenant_id = $1 AND pipeline_id = $2 AND deleted_at IS NULL GROUP BY stage_id, amount_currency";

const LIST: &str = "/v1/customers?filter[kind]=person&sort=name";

/// What a server holds, as far as requests are made of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// How many customers were generated.
    customers: u64,
    /// Ids of some of them, spread over all.
    ids: Vec<String>,
    /// How many of them one run of patches goes through: many more than there are connections, so that a request that
    /// is held up is not overtaken by the next one to its record.
    patched: usize,
    fragments: Vec<String>,
    /// Where the deep page of the list begins.
    deep: String,
    /// Rows before it.
    pub(crate) depth: usize,
    /// Places in the change feed.
    places: Vec<String>,
    pipeline: String,
    has_360: bool,
}

impl Contents {
    /// Asks a server that was filled with so many customers. Each case is going to run so many times.
    pub(crate) async fn of(service: &Service, customers: u64, runs: usize) -> Result<Self> {
        let mut contents = Self {
            customers,
            ..Self::default()
        };
        let document = service.get("/openapi.json").await?;
        contents.has_360 = document["paths"].get("/v1/customers/{id}/360").is_some();
        contents.meet_customers(service).await?;
        // Those of run 0 are tried before the first round.
        contents.patched = contents.ids.len() / (runs + 1);
        contents.walk_down(service).await?;
        contents.follow_changes(service).await?;
        let pipelines = service.get("/v1/pipelines?limit=1").await?;
        contents.pipeline = text(&pipelines["data"][0]["id"])?;
        Ok(contents)
    }

    /// Some customers, in an order that leaps about.
    async fn meet_customers(&mut self, service: &Service) -> Result<()> {
        let mut path = "/v1/customers?fields=id,name&limit=500".to_owned();
        let mut found = Vec::new();
        while found.len() < usize::try_from(self.customers.min(100_000))? {
            let page = service.get(&path).await?;
            let rows = page["data"].as_array().ok_or("a list without data")?;
            for row in rows {
                found.push((text(&row["id"])?, text(&row["name"])?));
            }
            let Some(cursor) = page["page"]["next_cursor"].as_str() else {
                break;
            };
            path = format!("/v1/customers?fields=id,name&limit=500&cursor={cursor}");
        }
        // The last ones are those that pgbench changes.
        found.truncate(found.len().saturating_sub(ROWS).max(1));
        let leap = (0..found.len()).map(|index| &found[index * 7919 % found.len()]);
        let chosen: Vec<_> = leap.take(20_000).collect();
        self.ids = chosen.iter().map(|(id, _)| id.clone()).collect();
        self.fragments = chosen
            .iter()
            .take(200)
            .enumerate()
            .map(|(index, (_, name))| fragment(name, index))
            .collect();
        Ok(())
    }

    /// To the 1,000th page of 50 rows, or as far down as there are rows.
    async fn walk_down(&mut self, service: &Service) -> Result<()> {
        let mut path = format!("{LIST}&fields=id&limit=450");
        while self.depth < 999 * 50 {
            let page = service.get(&path).await?;
            let rows = page["data"].as_array().map_or(0, Vec::len);
            let Some(cursor) = page["page"]["next_cursor"].as_str().filter(|_| rows == 450) else {
                break;
            };
            path = format!("{LIST}&fields=id&limit=450&cursor={cursor}");
            cursor.clone_into(&mut self.deep);
            self.depth += rows;
        }
        Ok(())
    }

    async fn follow_changes(&mut self, service: &Service) -> Result<()> {
        let mut path = "/v1/changes?limit=50".to_owned();
        for _ in 0..100 {
            let page = service.get(&path).await?;
            if page["page"]["has_more"] != true {
                break;
            }
            let cursor = text(&page["page"]["next_cursor"])?;
            path = format!("/v1/changes?limit=50&after={cursor}");
            self.places.push(path.clone());
        }
        Ok(())
    }

    /// The plain statement of a case with the values of its requests.
    pub(crate) fn plain(&self, case: &Case, plain: &str, tenant: &str) -> Vec<Statement> {
        let about = match case.key {
            // What the first of those is called that the case has created, to try it.
            "batch" => vec!["Zoe Bench".to_owned()],
            "search" => self.fragments.iter().map(|fragment| format!("%{fragment}%")).collect(),
            _ => vec![self.pipeline.clone()],
        };
        let of_tenant = |about| Statement::of(plain, [tenant.to_owned(), about]);
        about.into_iter().map(of_tenant).collect()
    }

    /// The requests of a case; `run` tells its measurements apart. None when the server has no such endpoint.
    pub(crate) fn stream(&self, case: &Case, run: usize) -> Option<Stream> {
        let of_each = |path: &dyn Fn(&String) -> String| {
            Stream::Cycle(self.ids.iter().take(2_000).map(|id| Request::get(path(id))).collect())
        };
        let stream = match case.key {
            "get" => of_each(&|id| format!("/v1/customers/{id}")),
            "by_external_id" => {
                let numbers = (0..2_000).map(|index| index * 7919 % self.customers);
                Stream::Cycle(
                    numbers
                        .map(|number| Request::get(format!("/v1/customers/by/generated/{}", external_id(number))))
                        .collect(),
                )
            }
            "list" => Stream::Cycle(vec![Request::get(format!("{LIST}&limit=50"))]),
            "deep" => Stream::Cycle(vec![Request::get(format!("{LIST}&limit=50&cursor={}", self.deep))]),
            "search" => Stream::Cycle(
                self.fragments
                    .iter()
                    .map(|fragment| Request::get(format!("/v1/customers?q={fragment}&limit=20")))
                    .collect(),
            ),
            "latest" => of_each(&|id| format!("/v1/interactions?filter[customer_id]={id}&sort=-started_at&limit=50")),
            "360" if self.has_360 => of_each(&|id| format!("/v1/customers/{id}/360")),
            "create" => Stream::Numbered(Request::post("/v1/customers", person(NUMBER).to_string())),
            "patch" => {
                let ids = self.ids.iter().cycle().skip(run * self.patched).take(self.patched);
                let bodies = ["it", "es", "nl", "pt", "pl"].map(|language| json!({"language": language}).to_string());
                Stream::Patches {
                    paths: ids.map(|id| format!("/v1/customers/{id}")).collect(),
                    bodies: bodies.to_vec(),
                }
            }
            "batch" => {
                let items =
                    (0..1_000).map(|index| json!({"op": "create", "data": person(&format!("{NUMBER}.{index}"))}));
                Stream::Numbered(Request::post(
                    "/v1/customers/batch",
                    json!({"items": items.collect::<Vec<_>>()}).to_string(),
                ))
            }
            "changes" => Stream::Cycle(self.places.iter().map(Request::get).collect()),
            "preview" => Stream::Cycle(previews()),
            "pipeline" => Stream::Cycle(vec![Request::get(format!("/v1/pipelines/{}/summary", self.pipeline))]),
            _ => return None,
        };
        Some(stream)
    }
}

/// What `rapport generate` calls a customer.
fn external_id(number: u64) -> String {
    format!("1-customer-{number}")
}

/// A customer as somebody would type it in. It has no address, because thousands of the same name in one place would be
/// refused as duplicates, and is among the last by name, so that the first page of the list stays the same.
fn person(number: &str) -> Value {
    json!({
        "kind": "person", "given_name": "Zoe", "family_name": format!("Bench {number}"), "lifecycle": "prospect",
        "emails": [{"address": format!("bench.{number}@example.com"), "label": "work", "primary": true}],
        "demographics": {"education": "master", "occupation": "engineer", "household_size": 2},
        "language": "en", "time_zone": "Europe/London", "tags": ["bench"],
    })
}

/// Segments of each lifecycle stage: those who called lately and have a certain sum in opportunities.
fn previews() -> Vec<Request> {
    let stages = ["lead", "prospect", "customer", "loyal"];
    let body = |stage: &str| {
        json!({"sample": 10, "rule": {"all": [
            {"field": "lifecycle", "op": "eq", "value": stage},
            {"related": "interactions", "where": {"field": "channel", "op": "eq", "value": "call"},
             "window": {"field": "started_at", "last": "P1Y"}, "aggregate": {"fn": "count"}, "op": "gte", "value": 2},
            {"related": "opportunities", "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "1000.00 EUR"},
        ]}})
    };
    stages
        .map(|stage| Request::post("/v1/segments/preview", body(stage).to_string()))
        .to_vec()
}

/// Four or five letters that stand together in a name.
fn fragment(name: &str, index: usize) -> String {
    let length = 4 + index % 2;
    let letters = |word: &str| word.chars().filter(char::is_ascii_alphabetic).collect::<Vec<_>>();
    let words: Vec<_> = name.split_whitespace().map(letters).collect();
    let long: Vec<_> = words.iter().filter(|word| word.len() >= length).collect();
    let Some(word) = long.get(index / 2 % long.len().max(1)) else {
        return words.concat().iter().collect::<String>().to_lowercase();
    };
    let start = index % (word.len() - length + 1);
    word[start..start + length].iter().collect::<String>().to_lowercase()
}

fn text(value: &Value) -> Result<String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::from(format!("a text is missing: {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_patches_go_through_different_records() {
        let contents = Contents {
            ids: (0..2_000).map(|id: u32| id.to_string()).collect(),
            patched: 200,
            ..Contents::default()
        };
        let case = CASES.iter().find(|case| case.key == "patch").unwrap();
        let (one, other) = (contents.stream(case, 0).unwrap(), contents.stream(case, 1).unwrap());
        assert_eq!(one.request(199).path, "/v1/customers/199");
        assert_eq!(other.request(0).path, "/v1/customers/200");
    }

    #[test]
    fn fragments_are_letters_that_stand_together_in_a_name() {
        assert_eq!(fragment("Ada Lovelace", 0), "love");
        assert_eq!(fragment("Ada Lovelace", 3), "elace");
        assert_eq!(fragment("Calena Beriti", 1), "alena");
        assert_eq!(fragment("Calena Beriti", 2), "riti");
        assert_eq!(fragment("Bo Li", 0), "boli");
    }
}
