//! Lists and searches: pages that miss nothing, sorting, counting, and parameters that are never ignored.

use crate::harness::{NOBODY, Tenant, id_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Products in three categories and in none, so that most of them tie.
async fn stock(tenant: &Tenant, count: usize) -> Vec<String> {
    let categories = [json!("A"), json!("B"), Value::Null, json!("C")];
    let product =
        |n: usize| json!({"op": "create", "data": {"name": format!("Product {n:03}"), "category": categories[n % 4]}});
    let items: Vec<Value> = (0..count).map(product).collect();
    tenant
        .batch("products", json!(items))
        .await
        .expect(207)
        .data()
        .iter()
        .map(id_of)
        .collect()
}

#[tokio::test]
async fn pages_show_every_record_once_while_others_come_in() {
    let tenant = Tenant::new();
    let ids = stock(&tenant, 60).await;
    for sort in [
        "id",
        "category",
        "-category",
        "category,-name",
        "-updated_at",
        "-category,name,created_at",
    ] {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut path = format!("/v1/products?limit=7&sort={sort}");
        let mut pages = Vec::new();
        loop {
            let page = tenant.get(&path).await.expect(200);
            pages.extend_from_slice(page.data());
            for id in page.ids() {
                *seen.entry(id).or_default() += 1;
            }
            stock(&tenant, 1).await;
            assert_eq!(page.body["page"]["has_more"], page.next_cursor().is_some());
            let Some(cursor) = page.next_cursor() else { break };
            path = format!("/v1/products?limit=7&sort={sort}&cursor={cursor}");
        }
        assert!(ids.iter().all(|id| seen.get(id) == Some(&1)), "sort={sort}: each once");
        assert!(seen.values().all(|times| *times == 1), "sort={sort}: nothing twice");
        if let Some(field) = sort.split(',').next().filter(|field| field.ends_with("category")) {
            assert_in_order(&pages, field);
        }
    }
}

#[tokio::test]
async fn pages_go_on_where_they_ended_whatever_is_shown_of_the_records() {
    let tenant = Tenant::new();
    let person = |n: usize| {
        let born = (!n.is_multiple_of(3)).then(|| format!("1815-12-{:02}", 10 + n % 4));
        json!({"op": "create", "data": {"kind": "person", "name": "Ada", "birth_date": born}})
    };
    let people: Vec<Value> = (0..20).map(person).collect();
    let batch = json!({"items": people});
    tenant
        .post("/v1/customers/batch?allow_duplicates=true", &batch)
        .await
        .expect(207);
    for sort in ["id", "name", "birth_date", "-birth_date,-id"] {
        let path = format!("/v1/customers?sort={sort}");
        let ids = |page: &[Value]| page.iter().map(id_of).collect::<Vec<_>>();
        let whole = ids(&tenant.all(&format!("{path}&limit=50")).await);
        assert_eq!(whole.len(), 20);
        for shown in ["", "&fields=id", "&include=owner", "&fields=id,tags&include=owner,team"] {
            let pages = tenant.all(&format!("{path}&limit=3{shown}")).await;
            assert_eq!(ids(&pages), whole, "sort={sort}{shown}");
            let members = pages[0].as_object().unwrap();
            assert_eq!(members.contains_key("name"), !shown.contains("fields"), "{shown}");
            assert_eq!(members.contains_key("owner"), shown.contains("owner"), "{shown}");
        }
    }
}

/// Records that lack the field come last, whichever way it is sorted.
#[track_caller]
fn assert_in_order(records: &[Value], sort: &str) {
    let (descending, field) = sort.strip_prefix('-').map_or((false, sort), |field| (true, field));
    let values: Vec<Option<&str>> = records.iter().map(|record| record[field].as_str()).collect();
    let mut sorted = values.clone();
    sorted.sort_by(|a, b| match (a, b) {
        (Some(a), Some(b)) if descending => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    assert_eq!(values, sorted, "sort={sort}");
}

#[tokio::test]
async fn a_page_tells_where_the_next_one_is_and_how_many_there_are_when_asked() {
    let tenant = Tenant::new();
    let ids = stock(&tenant, 20).await;
    let first = tenant
        .get("/v1/products?sort=name&limit=8&total=exact&filter[name][contains]=product")
        .await
        .expect(200);
    assert_eq!(first.ids(), ids[..8]);
    assert_eq!(first.body["page"]["total"], 20);
    assert_eq!(first.body["page"]["has_more"], true);

    let link = first.header("link");
    let next = link
        .strip_prefix('<')
        .and_then(|rest| rest.split_once(">; rel=\"next\""))
        .expect("a link")
        .0;
    let second = tenant.get(next).await.expect(200);
    assert_eq!(second.ids(), ids[8..16], "the link alone leads on");
    let third = tenant
        .get(
            second
                .header("link")
                .trim_start_matches('<')
                .split_once('>')
                .expect("a link")
                .0,
        )
        .await;
    assert_eq!(third.ids(), ids[16..]);
    assert_eq!(
        (third.header("link"), &third.body["page"]["next_cursor"]),
        ("", &Value::Null)
    );

    let without = tenant.get("/v1/products?limit=500").await.expect(200);
    assert_eq!(without.body["page"].get("total"), None);
    assert_eq!(without.data().len(), 20);
}

#[tokio::test]
async fn a_search_pages_like_a_list() {
    let tenant = Tenant::new();
    let ids = stock(&tenant, 20).await;
    let rule =
        json!({"any": [{"field": "category", "op": "eq", "value": "A"}, {"field": "category", "op": "missing"}]});
    let mut body = json!({"rule": rule, "sort": ["name"], "limit": 6, "total": "exact"});
    let first = tenant.post("/v1/products/search", &body).await.expect(200);
    assert_eq!((first.data().len(), &first.body["page"]["total"]), (6, &json!(10)));
    body["cursor"] = first.body["page"]["next_cursor"].clone();
    let second = tenant.post("/v1/products/search", &body).await.expect(200);
    let found: Vec<String> = first.ids().into_iter().chain(second.ids()).collect();
    let expected: Vec<String> = ids
        .iter()
        .enumerate()
        .filter(|(n, _)| n % 2 == 0)
        .map(|(_, id)| id.clone())
        .collect();
    assert_eq!(found, expected);

    let q = tenant
        .post("/v1/products/search", &json!({"q": "DUCT 007"}))
        .await
        .expect(200);
    assert_eq!(q.ids(), [ids[7].clone()]);
    assert_eq!(tenant.get("/v1/products?q=duct%20007").await.expect(200).ids(), q.ids());
    assert_eq!(
        tenant
            .post("/v1/products/search", &json!({}))
            .await
            .expect(200)
            .data()
            .len(),
        20
    );
}

#[tokio::test]
async fn a_cursor_is_of_use_only_where_it_was_given() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    stock(&tenant, 3).await;
    stock(&other, 3).await;
    let cursor = tenant
        .get("/v1/products?limit=1&sort=name")
        .await
        .expect(200)
        .next_cursor()
        .expect("more");
    tenant
        .get(&format!("/v1/products?limit=2&sort=name&cursor={cursor}"))
        .await
        .expect(200);

    let mut forged = cursor.clone().into_bytes();
    let last = forged.len() - 1;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("still text");
    let with = |cursor: &str, path: &str| format!("{path}cursor={cursor}");
    for path in [
        with(&cursor, "/v1/products?"),
        with(&cursor, "/v1/products?sort=-name&"),
        with(&cursor, "/v1/products?sort=name&filter[active]=true&"),
        with(&cursor, "/v1/customers?sort=name&"),
        with(&forged, "/v1/products?sort=name&"),
        with(&cursor[..20], "/v1/products?sort=name&"),
        with("nonsense", "/v1/products?sort=name&"),
        with("", "/v1/products?sort=name&"),
        format!("/v1/changes?after={cursor}"),
    ] {
        let name = if path.contains("changes") { "?after" } else { "?cursor" };
        tenant
            .get(&path)
            .await
            .expect_faults(400, &[&format!("{name} invalid_cursor")]);
    }
    other
        .get(&format!("/v1/products?sort=name&cursor={cursor}"))
        .await
        .expect_faults(400, &["?cursor invalid_cursor"]);
}

#[tokio::test]
async fn a_parameter_is_understood_or_refused() {
    let tenant = Tenant::new();
    for (parameters, faults) in [
        ("colour=red", &["?colour unknown_parameter"][..]),
        ("limit=0", &["?limit out_of_range"]),
        ("limit=501", &["?limit out_of_range"]),
        ("limit=many", &["?limit invalid_value"]),
        ("limit=1&limit=2", &["?limit duplicate"]),
        ("sort=colour", &["?sort not_sortable"]),
        ("sort=name,-name", &["?sort duplicate"]),
        ("sort=name;drop", &["?sort not_sortable"]),
        ("total=roughly", &["?total invalid_choice"]),
        ("filter[colour]=red", &["?filter[colour] unknown_field"]),
        ("filter[name][like]=a", &["?filter[name][like] unknown_operator"]),
        ("filter[active]=maybe", &["?filter[active] invalid_type"]),
        (
            "filter[created_at][gte]=yesterday",
            &["?filter[created_at][gte] invalid_value"],
        ),
        ("fields=id,colour", &["?fields unknown_field"]),
        ("include=weather", &["?include unknown_relation"]),
        ("dry_run=true", &["?dry_run unknown_parameter"]),
        (
            "limit=0&colour=red&sort=colour",
            &["?limit out_of_range", "?colour unknown_parameter", "?sort not_sortable"],
        ),
    ] {
        tenant
            .get(&format!("/v1/products?{parameters}"))
            .await
            .expect_faults(400, faults);
    }
    for (body, faults) in [
        (json!({"colour": "red"}), &["/colour unknown_field"][..]),
        (json!({"limit": 0}), &["/limit out_of_range"]),
        (json!({"limit": "ten"}), &["/limit invalid_type"]),
        (json!({"sort": "name"}), &["/sort invalid_type"]),
        (
            json!({"rule": {"field": "colour", "op": "eq", "value": 1}}),
            &["/rule/field unknown_field"],
        ),
        (
            json!({"rule": {"all": [{"field": "name", "op": "like", "value": "a"}]}}),
            &["/rule/all/0/op unknown_operator"],
        ),
        (
            json!({"q": "ab", "sort": ["colour"], "total": "roughly", "fields": ["colour"], "include": ["weather"]}),
            &[
                "/q too_short",
                "/sort not_sortable",
                "/total invalid_choice",
                "/fields unknown_field",
                "/include unknown_relation",
            ],
        ),
        (json!({"cursor": "nonsense"}), &["/cursor invalid_cursor"]),
    ] {
        tenant
            .post("/v1/products/search", &body)
            .await
            .expect_faults(422, faults);
    }
}

#[tokio::test]
async fn text_that_looks_like_sql_is_text() {
    let tenant = Tenant::new();
    let names = [
        "'; DROP TABLE products; --",
        "\" OR 1=1 --",
        "100%_\\",
        "Robert'); --",
        "$1 ?1 :abc @b",
        "*\"NEAR(abc b)",
    ];
    for name in names {
        tenant.create("products", json!({"name": name})).await;
    }
    for name in names {
        for op in ["eq", "contains", "starts_with", "ends_with", "search"] {
            let rule = json!({"rule": {"field": "name", "op": op, "value": name}});
            let found = tenant.post("/v1/products/search", &rule).await.expect(200);
            assert_eq!(
                found.data().iter().map(|product| &product["name"]).collect::<Vec<_>>(),
                [name],
                "{op}"
            );
        }
        let found = tenant
            .post("/v1/products/search", &json!({"q": name}))
            .await
            .expect(200);
        assert!(
            found.data().iter().any(|product| product["name"] == name),
            "{name}: {}",
            found.text
        );
    }
    assert_eq!(tenant.all("/v1/products").await.len(), names.len());
}

#[tokio::test]
async fn every_relation_can_be_included_even_when_there_is_nothing() {
    let tenant = Tenant::new();
    let document = tenant.get("/openapi.json").await.expect(200).body;
    let paths = document["paths"].as_object().expect("paths").iter();
    for (path, item) in paths.filter(|(path, _)| !path.contains('{')) {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let include = parameters.filter(|parameter| parameter["name"] == "include");
        let relations = include.filter_map(|include| include["schema"]["items"]["enum"].as_array());
        for relation in relations.flatten().filter_map(Value::as_str) {
            let nothing = tenant
                .get(&format!("{path}?include={relation}&filter[id]={NOBODY}"))
                .await
                .expect(200);
            assert!(nothing.data().is_empty(), "{path} {relation}");
        }
    }
}
