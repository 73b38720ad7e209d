use crate::database::*;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::Kind;
use domain::operation::visibility::Visibility;
use domain::rule::{Position, Value};
use domain::search::Search;
use rapport_store::filter::{Condition, Part};
use serde_json::json;
use sql::DatabaseConnection;
use sql::ids::RecordId;
use sql::schema::{customers, search_texts};

fn search(database: &mut Database, tenant: Tenant, text: &str) -> Vec<RecordId> {
    let search = Search::parse(text, "?q").unwrap();
    select(
        database,
        Kind::Product,
        tenant.condition(Kind::Product).with_search(Some(&search)),
    )
}

#[test]
fn words_and_fragments_are_found() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let products = [
        "Café Crème",
        "Acme \"Gold\" 100%",
        "acme_silver",
        "GTX Pro 4000",
        "C++ & C#",
    ];
    let ids = products.map(|name| {
        let product = Product {
            name: name.to_owned(),
            ..Product::default()
        };
        tenant.product(&mut database, &product)
    });
    let cases: &[(&str, &[usize])] = &[
        ("cafe", &[0]),
        ("CRÈ", &[0]),
        ("acm", &[1, 2]),
        ("acme gold", &[1]),
        ("gold acme", &[1]),
        ("acme go", &[1]),
        ("\"gold\"", &[1]),
        ("100%", &[1]),
        ("acme_", &[2]),
        ("acme _", &[2]),
        ("tx pro 4000", &[3]),
        ("gold OR silver", &[]),
        ("acme*", &[]),
        ("NOT acme", &[]),
        ("text:acme", &[]),
        ("C++", &[4]),
        ("') OR 1=1 --", &[]),
        ("bronze", &[]),
    ];
    for (text, expected) in cases {
        let found = search(&mut database, tenant, text);
        let places: Vec<_> = ids
            .iter()
            .enumerate()
            .filter(|(_, id)| found.contains(id))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(places, *expected, "{text}");
    }
}

/// What a search is to find: the records of one kind of a tenant, in order of creation.
struct Kept {
    id: RecordId,
    text: String,
    loyal: bool,
    owned: bool,
    deleted: bool,
}

/// All pages of so many records, one after the other.
fn pages(database: &mut Database, condition: &Condition, limit: usize) -> Vec<RecordId> {
    let keys = Kind::Customer.registry().default_order();
    let wanted = i64::try_from(limit).unwrap();
    let mut found: Vec<RecordId> = Vec::new();
    loop {
        let after = found.last().map(|id| Position(vec![Some(Value::Id(*id))]));
        let [part] = <[Part; 1]>::try_from(condition.parts(&keys, after.as_ref(), wanted)).unwrap();
        let page = customers::table.filter(part.condition).order(part.order).limit(wanted);
        let page: Vec<RecordId> = page.select(customers::id).load(&mut **database).unwrap();
        let is_last = page.len() < limit;
        found.extend(page);
        if is_last {
            return found;
        }
    }
}

/// Has the text of a record come after those of all others.
fn come_late(database: &mut Database, tenant: Tenant, record: &Kept) {
    let row = search_texts::table
        .filter(search_texts::tenant_id.eq(tenant.id))
        .filter(search_texts::record_id.eq(record.id));
    assert_eq!(diesel::delete(row).execute(&mut **database), Ok(1));
    tenant.search_text(database, Kind::Customer, record.id, &record.text);
}

fn count(sqlite: &mut SqliteConnection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    diesel::sql_query(query).get_result::<Row>(sqlite).unwrap().count
}

/// Checks how many rows are known to have come late, where that matters.
fn expect_latecomers(database: &mut Database, expected: i64) {
    if let DatabaseConnection::Sqlite(sqlite) = &mut **database {
        let late = count(sqlite, "SELECT count(*) AS count FROM search_latecomers");
        assert_eq!(late, expected);
    }
}

#[test]
fn pages_of_a_search_come_by_id_whatever_the_order_of_the_texts() {
    let mut database = database();
    let (tenant, other) = (Tenant::new(&mut database), Tenant::new(&mut database));
    let user = tenant.user(&mut database, "Agent", None);
    let records: Vec<Kept> = (0..60_usize)
        .map(|number| {
            let text = format!("{} {number}", ["acme", "zenith acme", "bolt"][number % 3]);
            let kept = Kept {
                id: RecordId::new(),
                loyal: number % 4 == 0,
                owned: number % 5 < 2,
                deleted: number % 9 == 8,
                text,
            };
            let customer = Customer {
                name: kept.text.clone(),
                lifecycle: Some(if kept.loyal { "loyal" } else { "lead" }),
                owner: kept.owned.then_some(user),
                ..Customer::default()
            };
            let id = tenant.customer(&mut database, &customer);
            let of_another = Customer {
                owner: None,
                ..customer
            };
            other.customer(&mut database, &of_another);
            let product = Product {
                name: kept.text.clone(),
                ..Product::default()
            };
            tenant.product(&mut database, &product);
            if kept.deleted {
                delete(&mut database, Kind::Customer, id);
            }
            Kept { id, ..kept }
        })
        .collect();
    check_pages(&mut database, tenant, user, &records);
    for record in records.iter().skip(2).step_by(7).rev() {
        come_late(&mut database, tenant, record);
    }
    expect_latecomers(&mut database, 9);
    check_pages(&mut database, tenant, user, &records);
    for record in &records {
        come_late(&mut database, tenant, record);
    }
    // All but the last, which nothing of a greater id was there before.
    expect_latecomers(&mut database, 59);
    check_pages(&mut database, tenant, user, &records);
}

/// Whether a record passes a rule.
type Passes = fn(&Kept) -> bool;

fn check_pages(database: &mut Database, tenant: Tenant, user: sql::ids::UserId, records: &[Kept]) {
    let loyal = rule(
        Kind::Customer,
        &json!({"field": "lifecycle", "op": "eq", "value": "loyal"}),
    );
    let either = json!([{"field": "lifecycle", "op": "eq", "value": "loyal"}, {"field": "name", "op": "contains", "value": "2"}]);
    let several = rule(Kind::Customer, &json!({"any": either}));
    let rules: [(_, Passes); 3] = [
        (None, |_| true),
        (Some(&loyal), |record| record.loyal),
        (Some(&several), |record| record.loyal || record.text.contains('2')),
    ];
    for words in ["acme", "zenith acme", "acme 1", "acme 1 2", "bolt", "bol 44", "nothing"] {
        let search = Search::parse(words, "?q").unwrap();
        for (rule, passes) in &rules {
            for visibility in [Visibility::All, Visibility::Own { user }] {
                let condition = Condition::new(Kind::Customer.registry(), tenant.id, visibility);
                let condition = condition.with_rule(*rule).with_search(Some(&search));
                let expected: Vec<_> = records
                    .iter()
                    .filter(|record| !record.deleted && passes(record))
                    .filter(|record| visibility == Visibility::All || record.owned)
                    .filter(|record| words.split(' ').all(|word| record.text.contains(word)))
                    .map(|record| record.id)
                    .collect();
                for limit in [1, 4, 100] {
                    let what = format!("{words} {rule:?} {visibility:?} {limit}");
                    assert_eq!(pages(database, &condition, limit), expected, "{what}");
                }
                assert_eq!(
                    select(database, Kind::Customer, condition),
                    expected,
                    "{words} {rule:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_merged_in_the_text_index_is_found_as_before() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let ids: Vec<_> = (0..40)
        .map(|number| {
            let product = Product {
                name: format!("acme {number}"),
                ..Product::default()
            };
            tenant.product(&mut database, &product)
        })
        .collect();
    if let DatabaseConnection::Sqlite(sqlite) = &mut *database {
        let segments = "SELECT count(DISTINCT segid) AS count FROM search_index_idx";
        let segments_of = |sqlite: &mut SqliteConnection| count(sqlite, segments);
        assert!(segments_of(sqlite) > 2);
        let mut steps = 0;
        while rapport_store::lookups::merge_search_index(sqlite).unwrap() {
            steps += 1;
            assert!(steps < 100, "it ends");
        }
        assert_eq!(segments_of(sqlite), 1);
    }
    assert_eq!(search(&mut database, tenant, "acme"), ids);
}
