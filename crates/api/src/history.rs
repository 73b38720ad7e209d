//! Pages of what happened to one record, the oldest first.

use crate::access::Reading;
use crate::limits::{MAX_PAGE, PAGE};
use crate::list::PageInfo;
use crate::problem::Problem;
use domain::Record;
use sql::ids::EventId;
use store::{Error, Transaction};

/// Takes `limit` and `cursor`, and loads the entries that they ask for. A cursor is of use for this history only.
pub(crate) async fn page<R, T, F>(
    reading: &mut Reading<R>,
    history: &str,
    load: F,
    id_of: impl Fn(&T) -> EventId,
) -> Result<(Vec<T>, PageInfo), Problem>
where
    R: Record,
    T: Send + 'static,
    F: Fn(&mut Transaction<'_>, Option<EventId>, usize) -> Result<Vec<T>, Error> + Send + 'static,
{
    let limit = reading.query.take_number("limit", 1..=MAX_PAGE).unwrap_or(PAGE);
    let limit = usize::try_from(limit).unwrap_or(1);
    let cursor = reading.query.take("cursor");
    std::mem::take(&mut reading.query).finish()?;
    let bound_to = format!("{}\n{history}", reading.caller.scope.tenant.id);
    let key = reading.state.cursor_key.clone();
    let after: Option<EventId> = cursor.map(|text| key.open(&bound_to, "cursor", &text)).transpose()?;
    // One more than asked tells whether there is a next page.
    let mut data = reading.run(move |tx| load(tx, after, limit + 1)).await?;
    let has_more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| has_more);
    let next_cursor = last.map(|last| key.seal(&bound_to, &id_of(last))).transpose()?;
    Ok((data, PageInfo::new(next_cursor)))
}
