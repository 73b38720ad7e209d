use crate::database::*;
use diesel::prelude::*;
use domain::Kind;
use domain::rule::query::sort;
use domain::rule::{Position, SortKey, Value};
use sql::ids::RecordId;
use sql::schema::products;

type Row = (
    RecordId,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
    sql::Timestamp,
);

/// Some products with many equal and missing values.
fn products(database: &mut Database, tenant: Tenant) {
    for number in 0..60_u32 {
        let product = Product {
            name: format!("{}", number % 7),
            category: (number % 3 > 0).then(|| format!("{}", number % 5)),
            price: (number % 4 > 0).then(|| {
                (
                    i64::from(number % 6),
                    if number % 2 == 0 { "EUR" } else { "USD" }.to_owned(),
                )
            }),
            created_at: Some(instant(&format!(
                "2026-01-0{}T00:00:00.00000{}Z",
                1 + number % 2,
                number % 3
            ))),
            ..Product::default()
        };
        tenant.product(database, &product);
    }
}

/// One page, as the store reads it: part after part until it is full.
fn page(database: &mut Database, tenant: Tenant, keys: &[SortKey], after: Option<&Position>, limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for part in tenant
        .condition(Kind::Product)
        .parts(keys, after, i64::try_from(limit).unwrap())
    {
        let wanted = i64::try_from(limit - rows.len()).unwrap();
        let query = products::table
            .filter(part.condition)
            .order(part.order)
            .limit(wanted)
            .select((
                products::id,
                products::name,
                products::category,
                products::unit_price_minor,
                products::unit_price_currency,
                products::created_at,
            ));
        rows.extend(query.load::<Row>(&mut **database).unwrap());
    }
    rows
}

/// Where a row stands in an order.
fn position(row: &Row, keys: &[SortKey]) -> Position {
    let (id, name, category, minor, currency, created_at) = row.clone();
    let values = keys.iter().flat_map(|key| match key.field.name {
        "name" => vec![Some(Value::Text(name.clone()))],
        "category" => vec![category.clone().map(Value::Text)],
        "unit_price" => vec![currency.clone().map(Value::Text), minor.map(Value::Integer)],
        "created_at" => vec![Some(Value::Instant(created_at))],
        "id" => vec![Some(Value::Id(id))],
        other => panic!("not sorted by {other}"),
    });
    Position(values.collect())
}

/// Compares two places as the contract says: missing values last, whichever way the order goes.
fn before(one: &Position, other: &Position, descending: &[bool]) -> bool {
    for ((one, other), descending) in one.0.iter().zip(&other.0).zip(descending) {
        let ordering = match (one, other) {
            (None, None) => std::cmp::Ordering::Equal,
            (None, Some(_)) => return false,
            (Some(_), None) => return true,
            (Some(Value::Text(one)), Some(Value::Text(other))) => one.cmp(other),
            (Some(Value::Integer(one)), Some(Value::Integer(other))) => one.cmp(other),
            (Some(Value::Instant(one)), Some(Value::Instant(other))) => one.cmp(other),
            (Some(Value::Id(one)), Some(Value::Id(other))) => one.cmp(other),
            other => panic!("{other:?}"),
        };
        if ordering.is_ne() {
            return ordering.is_lt() != *descending;
        }
    }
    false
}

#[test]
fn pages_give_every_record_once_in_order() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    products(&mut database, tenant);
    let orders = [
        "",
        "-id",
        "name",
        "-name",
        "category",
        "-category",
        "created_at,-name",
        "-category,name",
        "name,-category",
        "-created_at,category,-name",
        "name,category,-created_at",
        "category,-created_at",
    ];
    for order in orders {
        let keys = sort(order, Kind::Product, &context()).unwrap();
        walk(&mut database, tenant, order, &keys);
    }
}

#[test]
fn amounts_sort_by_currency_first() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    products(&mut database, tenant);
    let registry = Kind::Product.registry();
    let [price, name, id] = ["unit_price", "name", "id"].map(|name| registry.field(name).unwrap());
    for (first, second) in [(price, name), (name, price)] {
        for descending in [false, true] {
            let keys = [
                SortKey {
                    field: first,
                    descending,
                },
                SortKey {
                    field: second,
                    descending: false,
                },
                SortKey { field: id, descending },
            ];
            walk(&mut database, tenant, first.name, &keys);
        }
    }
}

/// Reads all pages of seven and checks them.
fn walk(database: &mut Database, tenant: Tenant, order: &str, keys: &[SortKey]) {
    let descending: Vec<_> = keys
        .iter()
        .flat_map(|key| vec![key.descending; if key.field.name == "unit_price" { 2 } else { 1 }])
        .collect();
    let mut places: Vec<Position> = Vec::new();
    loop {
        let rows = page(database, tenant, keys, places.last(), 7);
        assert!(rows.len() <= 7, "{order}");
        places.extend(rows.iter().map(|row| position(row, keys)));
        if rows.len() < 7 {
            break;
        }
    }
    assert_eq!(places.len(), 60, "{order}");
    for pair in places.windows(2) {
        assert!(pair[0].fits(keys), "{order}");
        assert!(before(&pair[0], &pair[1], &descending), "{order}: {pair:?}");
    }
}
