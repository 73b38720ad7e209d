//! Keyset pages: where a page begins, said so that each database walks along an index.
//!
//! After the place (x, y) of an order by (a, id) come the records with `a >= x AND (a > x OR id > y)`; the first half
//! is what an index is entered by. Records without a value come last, whichever way the order goes.

use super::check::stored;
use super::compile::Compiler;
use super::fragment::{Alias, Fragment};
use super::{Condition, Order, Part, hits};
use domain::operation::visibility::Visibility;
use domain::registry::{Field, FieldType, Registry, Source};
use domain::rule::{Position, SortKey, Value};
use sql::ids::TenantId;

/// A column that a list is sorted by.
#[derive(Clone, Copy)]
struct Column {
    field: &'static Field,
    place: Place,
    descending: bool,
    optional: bool,
}

/// Where the values of a column are.
#[derive(Clone, Copy)]
enum Place {
    /// Where those of the field are.
    Field,
    /// Where the currency of its amounts is.
    Currency,
    /// In a column of `custom_values`, which the query goes along.
    CustomValues(&'static str),
}

const CUSTOM_VALUES: Alias = Alias::Table("custom_values");

/// The columns of a key: amounts have two, the currency before the minor units.
fn columns(key: &SortKey) -> Vec<Column> {
    let value = Column {
        field: key.field,
        place: Place::Field,
        descending: key.descending,
        optional: key.field.optional,
    };
    let currency = Column {
        place: Place::Currency,
        ..value
    };
    if key.field.field_type == FieldType::Money {
        vec![currency, value]
    } else {
        vec![value]
    }
}

/// The parts of a page after a place. Only where the first key may be missing are there two: those that have it, then
/// those that lack it. One order over both could not walk along an index.
pub(super) fn parts(condition: &Condition, keys: &[SortKey], after: Option<&Position>, limit: i64) -> Vec<Part> {
    let values = after.map_or(&[][..], |position| position.0.as_slice());
    let mut all: Vec<_> = keys.iter().flat_map(columns).collect();
    if let Some((among, search)) = &condition.searched
        && is_by_id(keys)
    {
        let among = part(Condition::clone(among), &all, &all, values);
        let after = values.first().and_then(Option::as_ref);
        return vec![Part {
            condition: hits::first(&among.condition, search, after, limit),
            ..among
        }];
    }
    let leading = match keys.first() {
        Some(first) if first.field.optional => columns(first).len(),
        _ => return vec![part(condition.clone(), &all, &all, values)],
    };
    // Within each part all records have the first key, or none has.
    for column in &mut all[..leading] {
        column.optional = false;
    }
    let all_are = |check: &'static str| {
        all[..leading].iter().fold(condition.clone(), |narrowed, column| {
            narrowed.and(|compiler| {
                compiler.sort_operand(condition.registry, *column);
                compiler.sql.raw(check);
            })
        })
    };
    let (first_values, other_values) = values.split_at(leading.min(values.len()));
    if first_values.first().is_some_and(Option::is_none) {
        return vec![part(all_are(" IS NULL"), &all, &all[leading..], other_values)];
    }
    vec![
        along_custom_values(condition, keys, values)
            .unwrap_or_else(|| part(all_are(" IS NOT NULL"), &all, &all, values)),
        part(all_are(" IS NULL"), &all, &[], &[]),
    ]
}

/// Whether records come in the order of their creation.
fn is_by_id(keys: &[SortKey]) -> bool {
    matches!(keys, [SortKey { field, descending: false }] if matches!(field.source, Source::Column("id")))
}

/// The records in the order of a custom field and their ids: those rows of its values whose records meet the condition.
/// The index of the values has this order; no index of the records has.
fn along_custom_values(condition: &Condition, keys: &[SortKey], values: &[Option<Value>]) -> Option<Part> {
    let [first, id] = keys else { return None };
    let Source::Custom { column, .. } = first.field.source else {
        return None;
    };
    let in_values = |column: Column, name| Column {
        place: Place::CustomValues(name),
        optional: false,
        ..column
    };
    let by_value = columns(first).into_iter().map(|part| match part.place {
        Place::Currency => in_values(part, "currency"),
        _ => in_values(part, column),
    });
    let by_id = columns(id).into_iter().map(|part| in_values(part, "record_id"));
    let order: Vec<_> = by_value.chain(by_id).collect();
    let registry = condition.registry;
    let mut along = Condition {
        fragment: Fragment::default(),
        ..condition.clone()
    };
    let mut compiler = along.compiler();
    compiler.custom_rows(CUSTOM_VALUES, first.field);
    compiler
        .sql
        .raw(" AND ")
        .column(CUSTOM_VALUES, column)
        .raw(" IS NOT NULL AND ");
    let record = Alias::Table(registry.table);
    compiler
        .sql
        .raw("EXISTS (SELECT 1 FROM ")
        .name(registry.table)
        .raw(" WHERE ");
    compiler
        .sql
        .column(record, "tenant_id")
        .raw(" = ")
        .column(CUSTOM_VALUES, "tenant_id");
    compiler
        .sql
        .raw(" AND ")
        .column(record, "id")
        .raw(" = ")
        .column(CUSTOM_VALUES, "record_id");
    compiler.sql.raw(" AND ").append(condition.fragment.clone()).raw(")");
    let whole = order.len() == values.len();
    let along = if whole {
        along.and(|compiler| compiler.after(registry, &order, values))
    } else {
        along
    };
    Some(Part {
        condition: along,
        order: order_of(registry, &order),
        along_custom_values: true,
    })
}

/// The records after the place that has these values in some columns. All columns stand in the order, even those that
/// all its records lack: PostgreSQL then sees that the index has it.
fn part(condition: Condition, order: &[Column], columns: &[Column], values: &[Option<Value>]) -> Part {
    let order = order_of(condition.registry, order);
    let registry = condition.registry;
    let condition = if !columns.is_empty() && columns.len() == values.len() {
        condition.and(|compiler| compiler.after(registry, columns, values))
    } else {
        condition
    };
    Part {
        condition,
        order,
        along_custom_values: false,
    }
}

pub(super) fn order(registry: &'static Registry, keys: &[SortKey]) -> Order {
    let columns: Vec<_> = keys.iter().flat_map(columns).collect();
    order_of(registry, &columns)
}

fn order_of(registry: &'static Registry, columns: &[Column]) -> Order {
    let mut fragment = Fragment::default();
    // There are few orders by one key and the id, but more by several than a cache of statements should hold.
    if columns.len() > 3 {
        fragment.varies();
    }
    // Whose records they are is for the condition to say.
    let mut compiler = Compiler::new(&mut fragment, registry, TenantId(uuid::Uuid::nil()), Visibility::All);
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            compiler.sql.raw(", ");
        }
        compiler.sort_operand(registry, *column);
        compiler.sql.raw(if column.descending { " DESC" } else { " ASC" });
        if column.optional {
            compiler.sql.raw(" NULLS LAST");
        }
    }
    Order { fragment }
}

impl Compiler<'_> {
    fn sort_operand(&mut self, registry: &Registry, column: Column) {
        let alias = Alias::Table(registry.table);
        match column.place {
            Place::Field => self.operand(alias, column.field),
            Place::Currency => self.currency(alias, column.field),
            Place::CustomValues(name) => _ = self.sql.column(CUSTOM_VALUES, name),
        }
    }

    /// `a >= x AND (a > x OR …)`, to the last column: `id > y`.
    fn after(&mut self, registry: &Registry, columns: &[Column], values: &[Option<Value>]) {
        let (Some((column, columns)), Some((value, values))) = (columns.split_first(), values.split_first()) else {
            return;
        };
        let Some(value) = value else {
            // Past all values: what follows lacks one too.
            self.sort_operand(registry, *column);
            self.sql.raw(" IS NULL AND ");
            self.grouped(|compiler| compiler.after(registry, columns, values));
            return;
        };
        if columns.is_empty() {
            self.beyond(registry, *column, value, true);
            return;
        }
        self.beyond(registry, *column, value, false);
        self.sql.raw(" AND (");
        self.beyond(registry, *column, value, true);
        self.sql.raw(" OR (");
        self.after(registry, columns, values);
        self.sql.raw("))");
    }

    /// A column is past a value in the order, or at it.
    fn beyond(&mut self, registry: &Registry, column: Column, value: &Value, strictly: bool) {
        if column.optional {
            self.sql.raw("(");
        }
        self.sort_operand(registry, column);
        self.sql.raw(match (column.descending, strictly) {
            (true, true) => " < ",
            (true, false) => " <= ",
            (false, true) => " > ",
            (false, false) => " >= ",
        });
        self.sql.bind(stored(column.field, value));
        if column.optional {
            self.sql.raw(" OR ");
            self.sort_operand(registry, column);
            self.sql.raw(" IS NULL)");
        }
    }
}
