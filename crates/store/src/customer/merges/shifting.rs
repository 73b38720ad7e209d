//! How a group of records that name a customer in the same places is made to name another one, by a statement for each
//! table.

use super::places::{lists, value};
use super::statement::Way;
use crate::{Error, Transaction};
use domain::Kind;

/// The ids of the records of a group.
const GROUP: &str = "SELECT record_id FROM customer_merge_moves WHERE tenant_id = @tenant AND merge_id = @merge \
                     AND source = @source AND places = @places AND version > 0";

/// A condition that a column holds the id of a record of a group. PostgreSQL knows nothing of rows that were just written
/// and takes them for few, so that a join may compare each with each; an array is looked up by the index.
fn of_group(tx: &mut Transaction<'_>, column: &str) -> String {
    if tx.connection().is_sqlite() {
        format!("{column} IN ({GROUP})")
    } else {
        format!("{column} = ANY (ARRAY ({GROUP}))")
    }
}

/// Moves a group of records that nobody has changed since they were noted, and tells how many.
pub(super) fn shift(tx: &mut Transaction<'_>, way: Way, kind: Kind, places: &str) -> Result<usize, Error> {
    let table = kind.registry().table;
    let more = [("source", table), ("places", places), ("kind", kind.as_str())];
    shift_lookups(tx, way, kind, places, &more)?;
    let json = Text {
        is_sqlite: tx.connection().is_sqlite(),
    };
    let (mut sets, mut custom) = (Vec::new(), None);
    for place in places.split_whitespace() {
        if let Some(key) = place.strip_prefix("custom.") {
            let text = custom.unwrap_or_else(|| json.of("custom"));
            custom = Some(json.replaced(&text, key));
        } else if let Some(list) = lists(kind).find(|list| list.column == place) {
            let text = json.replaced(&json.of(place), list.member);
            sets.push(format!("{place} = {}", json.read(&text)));
        } else {
            sets.push(format!("{place} = @to"));
        }
    }
    if let Some(text) = custom {
        sets.push(format!("custom = {}", json.read(&text)));
    }
    let text = format!(
        "UPDATE {table} SET {sets}, version = version + 1, updated_at = @now, updated_by = @by \
         WHERE tenant_id = @tenant AND {group}",
        sets = sets.join(", "),
        group = of_group(tx, "id"),
    );
    way.run(tx, &text, &more)
}

/// Moves the rows by which the records of a group are found.
fn shift_lookups(
    tx: &mut Transaction<'_>,
    way: Way,
    kind: Kind,
    places: &str,
    more: &[(&str, &str)],
) -> Result<(), Error> {
    for field in places.split_whitespace().filter(|place| place.starts_with("custom.")) {
        let text = format!(
            "UPDATE custom_values SET reference = @to WHERE tenant_id = @tenant AND kind = @kind \
             AND field = '{field}' AND reference = @from AND {}",
            of_group(tx, "record_id"),
        );
        way.run(tx, &text, more)?;
    }
    let is_in = |place: &str| places.split_whitespace().any(|other| other == place);
    for list in lists(kind).filter(|list| is_in(list.column) || list.beside.iter().any(|column| is_in(column))) {
        let text = format!(
            "UPDATE record_values SET value = {to} WHERE tenant_id = @tenant AND kind = @kind \
             AND field = '{field}' AND value = {from} AND {group}",
            from = value(list, true),
            to = value(list, false),
            field = list.field,
            group = of_group(tx, "record_id"),
        );
        way.run(tx, &text, more)?;
    }
    Ok(())
}

/// JSON as text: how a database writes it, and how an id is replaced in it.
#[derive(Clone, Copy)]
struct Text {
    is_sqlite: bool,
}

impl Text {
    fn of(self, column: &str) -> String {
        if self.is_sqlite {
            column.to_owned()
        } else {
            format!("{column}::text")
        }
    }

    fn read(self, text: &str) -> String {
        if self.is_sqlite {
            text.to_owned()
        } else {
            format!("{text}::jsonb")
        }
    }

    /// A text of JSON in which a member names the other customer. No text inside a string looks like that, because its
    /// quotes are escaped.
    fn replaced(self, text: &str, member: &str) -> String {
        let space = if self.is_sqlite { "" } else { " " };
        let of = |id: &str| format!("'\"{member}\":{space}\"' || {id} || '\"'");
        format!("replace({text}, {}, {})", of("@from_text"), of("@to_text"))
    }
}
