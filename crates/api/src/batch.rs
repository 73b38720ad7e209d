//! Many writes in one request: each on its own, or all or nothing.

use crate::access::Writing;
use crate::limits::BATCH_ITEMS;
use crate::preconditions;
use crate::problem::Problem;
use crate::reply;
use crate::resource::{is_for_store, mode_of, refuses_duplicates};
use actix_web::HttpResponse;
use domain::record::{Checked, ExternalId};
use domain::{Fault, Record, Refusal, input};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sql::ids::RecordId;
use std::sync::Arc;
use store::records::{self, Creation, Draft, Expected, New, Outcome};
use store::references::LocalReferences;
use store::{Error, Stored, Transaction, lookups};
use utoipa::ToSchema;

/// Into how many parts items are divided when one of them fails. All are one at first: a savepoint for each would cost a
/// quarter of the whole, because SQLite copies every page that is written in a savepoint for the first time.
const PARTS: usize = 10;

/// The body of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    items: Vec<Value>,
}

/// One write of a batch.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchItem {
    /// What to do.
    pub op: Operation,
    /// The record, for `update` and `delete`.
    #[serde(default)]
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<RecordId>,
    /// The other system, for `upsert`.
    #[serde(default)]
    system: Option<String>,
    /// The record's id there, for `upsert`.
    #[serde(default)]
    external_id: Option<String>,
    /// How an `upsert` behaves: `upsert`, `create_only` or `update_only`.
    #[serde(default)]
    mode: Option<String>,
    /// The version that the caller knows, as in the If-Match header.
    #[serde(default)]
    if_match: Option<String>,
    /// A name by which later items of the batch can refer to this record: `ref/{name}`.
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    /// What to set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// An item as it was read before the transaction begins, or its faults.
type Item<R> = Result<ReadItem<R>, Vec<Fault>>;

struct ReadItem<R: Record> {
    asked: BatchItem,
    /// The settable part of a new record, checked and taken out of what was asked, where that needs no database.
    fields: Option<Checked<R::Fields>>,
}

/// What an item of a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Creates a record.
    Create,
    /// Changes a record by a merge patch.
    Update,
    /// Creates or changes the record with an external id.
    Upsert,
    /// Deletes a record.
    Delete,
}

/// What was done for an item of a batch.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemOutcome {
    /// A record was created.
    Created,
    /// It was changed.
    Updated,
    /// There was nothing to change.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// Nothing, for the reason told.
    Failed,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchResult {
    /// The HTTP status that the same write would have had alone.
    status: u16,
    /// What was done.
    outcome: ItemOutcome,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>, nullable = false)]
    id: Option<RecordId>,
    /// Its version now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<Problem>,
}

/// What became of a batch, in the order of its items.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchResults {
    /// One result an item.
    data: Vec<BatchResult>,
}

/// `POST /v1/{resource}/batch`.
pub(crate) async fn post<R: Stored>(mut writing: Writing<R>) -> Result<HttpResponse, Problem> {
    let atomic = writing.query.take_flag("atomic");
    let items = Batch::items_of(writing.take_body()?).map_err(Problem::invalid)?;
    if !(1..=BATCH_ITEMS).contains(&items.len()) {
        let message = format!("must have 1 to {BATCH_ITEMS} items");
        return Err(Problem::invalid(vec![Fault::new("/items", "invalid_length", message)]));
    }
    let items: Vec<Item<R>> = items.into_iter().map(ReadItem::parse).collect();
    let refuses = refuses_duplicates(&mut writing);
    writing
        .run(move |tx| {
            if refuses {
                tx.refuse_duplicates();
            }
            let results = write_all::<R>(tx, &items, atomic)?;
            Ok(reply::of_json(207, BatchResults { data: results }))
        })
        .await
}

fn write_all<R: Stored>(tx: &mut Transaction<'_>, items: &[Item<R>], atomic: bool) -> Result<Vec<BatchResult>, Error> {
    let mut results = Vec::with_capacity(items.len());
    write_together::<R>(tx, items, &mut Arc::default(), &mut results)?;
    if atomic && results.iter().any(Result::is_err) {
        let failures = results.into_iter().enumerate();
        let failures = failures.filter_map(|(index, result)| result.err().map(|error| (index, error)));
        return Err(Error::BatchFailed(failures.collect()));
    }
    let results = results.into_iter();
    Ok(results
        .map(|result| result.unwrap_or_else(BatchResult::failed))
        .collect())
}

/// Writes items in one part, and where one of them fails, in smaller parts.
fn write_together<R: Stored>(
    tx: &mut Transaction<'_>,
    items: &[Item<R>],
    names: &mut Arc<LocalReferences>,
    results: &mut Vec<Result<BatchResult, Error>>,
) -> Result<(), Error> {
    let mut names_with_new = Arc::clone(names);
    let written = match new_records(tx, items)? {
        // They are decided upon before the first is written, so they hardly ever fail after it.
        Some(new) => tx.attempt(|tx| create_together::<R>(tx, &new, &mut names_with_new)),
        None => tx.savepoint(|tx| {
            let results = items.iter().map(|item| write_one::<R>(tx, item, &mut names_with_new));
            results.collect::<Result<Vec<_>, _>>()
        }),
    };
    match written {
        Ok(written) => {
            *names = names_with_new;
            results.extend(written.into_iter().map(Ok));
        }
        // A lost connection or a deadlock is no fault of an item: the whole must fail, or be run again.
        Err(error) if !is_of_item(&error) => return Err(error),
        // Only a single item tells what its faults are as if it came alone.
        Err(error) if items.len() == 1 => results.push(Err(error)),
        Err(_) => {
            drop(names_with_new);
            for part in items.chunks(items.len().div_ceil(PARTS)) {
                write_together::<R>(tx, part, names, results)?;
            }
        }
    }
    Ok(())
}

/// The items, if there are several, all make new records, and those can be created at once: they create, or they upsert
/// what nobody knows yet.
fn new_records<'a, R: Stored>(
    tx: &mut Transaction<'_>,
    items: &'a [Item<R>],
) -> Result<Option<Vec<&'a ReadItem<R>>>, Error> {
    let read = items.iter().map(|item| item.as_ref().ok());
    let Some(read) = read.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let can_be_new = R::CREATED_TOGETHER && read.len() > 1;
    Ok(if can_be_new && are_of_new(tx, &read)? {
        Some(read)
    } else {
        None
    })
}

/// Creates the records of items at once.
fn create_together<R: Stored>(
    tx: &mut Transaction<'_>,
    items: &[&ReadItem<R>],
    names: &mut Arc<LocalReferences>,
) -> Result<Vec<BatchResult>, Error> {
    let mut creation = Creation::<R>::of(items.len());
    for read in items {
        let item = &read.asked;
        item.expected()?;
        let new = New {
            draft: read.draft(names)?,
            known_as: (item.op == Operation::Upsert).then(|| item.known_as()).transpose()?,
        };
        let id = creation.add(tx, new)?;
        if let Some(name) = &item.reference {
            Arc::make_mut(names).insert(name.clone(), id);
        }
    }
    let created = creation.insert(tx)?;
    let results = created.iter().map(|record| BatchResult::of(record, Outcome::Created));
    Ok(results.collect())
}

/// Whether all items make new records.
fn are_of_new<R: Record>(tx: &mut Transaction<'_>, items: &[&ReadItem<R>]) -> Result<bool, Error> {
    let items = items.iter().map(|read| &read.asked);
    if items.clone().all(|item| item.op == Operation::Create) {
        return Ok(true);
    }
    let upserted = items.map(|item| match item.mode.as_deref() {
        None | Some("upsert" | "create_only") if item.op == Operation::Upsert && item.if_match.is_none() => {
            item.known_as().ok()
        }
        _ => None,
    });
    match upserted.collect::<Option<Vec<_>>>() {
        Some(ids) => Ok(!lookups::is_any_known(tx, R::KIND, &ids)?),
        None => Ok(false),
    }
}

fn is_of_item(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound
            | Error::Refused(_)
            | Error::Stale { .. }
            | Error::VersionRequired
            | Error::Duplicate(_)
            | Error::Merged { .. }
    )
}

fn write_one<R: Stored>(
    tx: &mut Transaction<'_>,
    item: &Item<R>,
    names: &mut Arc<LocalReferences>,
) -> Result<BatchResult, Error> {
    let read = read(item)?;
    let item = &read.asked;
    let expected = item.expected()?;
    let result = match item.op {
        Operation::Create => {
            let record = records::create::<R>(tx, read.draft(names)?).map_err(in_data)?;
            BatchResult::of(&record, Outcome::Created)
        }
        Operation::Update => {
            let (record, outcome) =
                records::patch::<R>(tx, item.id()?, &expected, item.data()?, names).map_err(in_data)?;
            BatchResult::of(&record, outcome)
        }
        Operation::Upsert => {
            let known_as = item.known_as()?;
            let mode = mode_of(item.mode.as_deref().unwrap_or("upsert"))
                .map_err(|message| Refusal::fault("/mode", "invalid_choice", message))?;
            let (record, outcome) =
                records::upsert::<R>(tx, known_as, mode, &expected, item.data()?, names).map_err(in_data)?;
            BatchResult::of(&record, outcome)
        }
        Operation::Delete => {
            let id = item.id()?;
            records::delete::<R>(tx, id, &expected)?;
            BatchResult {
                status: 204,
                outcome: ItemOutcome::Deleted,
                id: Some(id),
                version: None,
                error: None,
            }
        }
    };
    if let (Some(name), Some(id)) = (&item.reference, result.id) {
        Arc::make_mut(names).insert(name.clone(), id);
    }
    Ok(result)
}

fn read<R: Record>(item: &Item<R>) -> Result<&ReadItem<R>, Refusal> {
    item.as_ref().map_err(|faults| Refusal::Invalid(faults.clone()))
}

/// The faults of a record stand in the `data` of its item.
fn in_data(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::Invalid(faults)) => {
            Refusal::Invalid(faults.into_iter().map(|fault| fault.under("/data")).collect()).into()
        }
        other => other,
    }
}

impl Batch {
    /// Reads a body. The items are taken out of it, because a thousand of them take long to copy.
    fn items_of(mut body: Value) -> Result<Vec<Value>, Vec<Fault>> {
        let taken = body.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
        let Self { items } = input::parse_body(&body)?;
        Ok(taken.unwrap_or(items))
    }
}

impl<R: Record> ReadItem<R> {
    /// Reads an item. What is to be set is moved, not copied.
    fn parse(mut item: Value) -> Item<R> {
        let data = item.get_mut("data").map(Value::take);
        let asked: BatchItem = input::parse_body(&item)?;
        let data = data.filter(|data| !data.is_null());
        let new = data.as_ref().filter(|_| asked.op == Operation::Create);
        // What is wrong with it is told where the item is written, after those before it.
        let fields = new
            .filter(|data| !is_for_store(data))
            .and_then(|data| Checked::of(input::parse::<R::Fields>(data).ok()?).ok());
        let data = data.filter(|_| fields.is_none());
        let asked = BatchItem { data, ..asked };
        Ok(Self { asked, fields })
    }

    /// The record to create: a copy, because an item that fails is tried again.
    fn draft(&self, names: &Arc<LocalReferences>) -> Result<Draft<R::Fields>, Refusal> {
        match &self.fields {
            Some(fields) => Ok(Draft::Ready(fields.clone())),
            None => Ok(Draft::Raw(self.asked.data()?, Arc::clone(names))),
        }
    }
}

impl BatchItem {
    fn expected(&self) -> Result<Expected, Refusal> {
        let Some(text) = &self.if_match else {
            return Ok(Expected::Unstated);
        };
        preconditions::expected(text).ok_or_else(|| {
            Refusal::fault(
                "/if_match",
                "invalid_value",
                "must be an entity tag such as \"7\", or *",
            )
        })
    }

    /// What to set: a copy, because an item that fails is tried again.
    fn data(&self) -> Result<Value, Refusal> {
        self.data
            .clone()
            .ok_or_else(|| Refusal::fault("/data", "required", "is required"))
    }

    fn id(&self) -> Result<RecordId, Refusal> {
        self.id.ok_or_else(|| Refusal::fault("/id", "required", "is required"))
    }

    fn known_as(&self) -> Result<ExternalId, Refusal> {
        let (Some(system), Some(id)) = (self.system.clone(), self.external_id.clone()) else {
            return Err(Refusal::fault(
                "/external_id",
                "required",
                "system and external_id are required",
            ));
        };
        Ok(ExternalId { system, id })
    }
}

impl BatchResult {
    fn of<R: Record>(record: &R, outcome: Outcome) -> Self {
        let (status, outcome) = match outcome {
            Outcome::Created => (201, ItemOutcome::Created),
            Outcome::Updated => (200, ItemOutcome::Updated),
            Outcome::Unchanged => (200, ItemOutcome::Unchanged),
        };
        let meta = record.meta();
        Self {
            status,
            outcome,
            id: Some(meta.id),
            version: Some(meta.version),
            error: None,
        }
    }

    fn failed(error: Error) -> Self {
        let problem = Problem::from(error);
        Self {
            status: problem.status(),
            outcome: ItemOutcome::Failed,
            id: None,
            version: None,
            error: Some(problem),
        }
    }
}
