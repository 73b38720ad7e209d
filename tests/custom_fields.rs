//! Custom fields: defined by the API, held against their definition, and then as good as any other field.

use crate::harness::{Send, Tenant, id_of};
use reqwest::Method;
use serde_json::{Value, json};

impl Tenant {
    /// Adds a custom field to a kind of record.
    async fn custom_field(&self, resource: &str, key: &str, value_type: &str, rest: Value) -> Value {
        let mut field = json!({"resource": resource, "key": key, "name": key, "type": value_type});
        for (name, value) in rest.as_object().into_iter().flatten() {
            field[name] = value.clone();
        }
        self.create("custom_fields", field).await
    }

    /// A product with custom values.
    async fn product_with(&self, name: &str, custom: Value) -> Value {
        self.create("products", json!({"name": name, "custom": custom})).await
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let found = self.all(&format!("/v1/products?{query}")).await;
        found
            .iter()
            .map(|product| product["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn tiers() -> Value {
    json!({"options": [{"value": "gold", "name": "Gold"}, {"value": "silver", "name": "Silver"}]})
}

/// A field of every type, on products.
async fn company() -> Tenant {
    let tenant = Tenant::new();
    for value_type in ["text", "number", "money", "date", "bool"] {
        tenant.custom_field("product", value_type, value_type, json!({})).await;
    }
    tenant.custom_field("product", "choice", "choice", tiers()).await;
    tenant.custom_field("product", "several", "multi_choice", tiers()).await;
    tenant
        .custom_field("product", "maker", "reference", json!({"target": "customer"}))
        .await;
    tenant
}

#[tokio::test]
async fn values_of_every_type_are_kept_patched_and_cleared() {
    let tenant = company().await;
    let maker = json!({"kind": "organisation", "name": "Acme", "external_ids": [{"system": "erp", "id": "7"}]});
    let maker = tenant.create("customers", maker).await;
    let custom = json!({
        "text": "T", "number": 2.50, "money": {"amount": "5", "currency": "EUR"}, "date": "2026-01-31", "bool": true,
        "choice": "gold", "several": ["gold", "silver"], "maker": "by/erp/7",
    });
    let product = tenant.product_with("A", custom).await;
    let kept = json!({
        "text": "T", "number": 2.5, "money": {"amount": "5.00", "currency": "EUR"}, "date": "2026-01-31",
        "bool": true, "choice": "gold", "several": ["gold", "silver"], "maker": maker["id"],
    });
    assert_eq!(product["custom"], kept);

    let path = format!("/v1/products/{}", id_of(&product));
    let sent = json!({"custom": {"text": null, "choice": "silver", "number": 3}});
    let after = tenant.patch(&path, &sent).await.expect(200).body;
    let mut expected = kept;
    expected["choice"] = json!("silver");
    expected["number"] = json!(3);
    expected.as_object_mut().unwrap().remove("text");
    assert_eq!(after["custom"], expected);
    let told = tenant.changes_of("product.updated").await;
    let changes = &told.last().unwrap()["changes"]["custom"];
    assert_eq!(changes["before"], json!({"text": "T", "number": 2.5, "choice": "gold"}));
    assert_eq!(changes["after"], json!({"number": 3, "choice": "silver"}));

    let cleared = tenant.patch(&path, &json!({"custom": null})).await.expect(200).body;
    assert_eq!(cleared["custom"], json!({}));
    assert!(tenant.names("filter[custom.bool]=true").await.is_empty());
}

#[tokio::test]
async fn every_fault_of_custom_values_is_told_with_the_others() {
    let tenant = company().await;
    let body = json!({"name": "", "active": 5, "custom": {
        "text": 5, "number": "x", "money": {"amount": "1.234", "currency": "EUR"}, "choice": "bronze",
        "maker": "01997a3c-5d4e-7f00-8a1b-2c3d4e5f6071", "colour": "red",
    }});
    tenant.post("/v1/products", &body).await.expect_faults(
        422,
        &[
            "/active invalid_type",
            "/custom/choice not_a_choice",
            "/custom/colour unknown_field",
            "/custom/money invalid_value",
            "/custom/number invalid_value",
            "/custom/text invalid_type",
            "/name invalid_length",
        ],
    );
    let unknown = json!({"name": "A", "custom": {"maker": "01997a3c-5d4e-7f00-8a1b-2c3d4e5f6071"}});
    tenant
        .post("/v1/products", &unknown)
        .await
        .expect_faults(422, &["/custom/maker unknown_reference"]);
    tenant
        .post("/v1/products", &json!({"name": "A", "custom": [1]}))
        .await
        .expect_faults(422, &["/custom invalid_type"]);
    // Fields of one kind are none of another, and of one tenant none of another.
    let team = json!({"name": "A", "custom": {"text": "T"}});
    tenant
        .post("/v1/teams", &team)
        .await
        .expect_faults(422, &["/custom/text unknown_field"]);
    Tenant::new()
        .post("/v1/products", &json!({"name": "A", "custom": {"text": "T"}}))
        .await
        .expect_faults(422, &["/custom/text unknown_field"]);
}

#[tokio::test]
async fn lists_filter_and_sort_by_custom_fields() {
    let tenant = company().await;
    for (name, custom) in [
        (
            "A",
            json!({"text": "b", "number": 10, "date": "2026-02-01", "choice": "gold", "several": ["gold"]}),
        ),
        (
            "B",
            json!({"text": "a", "number": 9.5, "money": {"amount": "1.00", "currency": "EUR"}}),
        ),
        (
            "C",
            json!({"text": "c", "number": -1, "bool": true, "money": {"amount": "2.00", "currency": "EUR"}}),
        ),
        ("D", json!({})),
        (
            "E",
            json!({"text": "a", "choice": "silver", "several": ["gold", "silver"]}),
        ),
    ] {
        tenant.product_with(name, custom).await;
    }
    for (query, expected) in [
        ("filter[custom.text]=a", "BE"),
        ("filter[custom.text][ne]=a", "AC"),
        ("filter[custom.text][missing]=true", "D"),
        ("filter[custom.text][exists]=true", "ABCE"),
        ("filter[custom.text][contains]=B", "A"),
        ("filter[custom.number][gte]=9.5", "AB"),
        ("filter[custom.number][lt]=0", "C"),
        ("filter[custom.number][between]=-1,9.5", "BC"),
        ("filter[custom.money][gte]=1.50 EUR", "C"),
        ("filter[custom.date][gte]=2026-01-31", "A"),
        ("filter[custom.date][previous]=month", ""),
        ("filter[custom.bool]=true", "C"),
        ("filter[custom.choice][in]=gold,silver", "AE"),
        ("filter[custom.choice][not_in]=gold", "E"),
        ("filter[custom.several]=silver", "E"),
        ("filter[custom.several][has_all]=gold,silver", "E"),
        ("filter[custom.several][has_none]=silver", "ABCD"),
        ("filter[custom.text]=a&filter[custom.choice]=silver", "E"),
    ] {
        assert_eq!(tenant.names(query).await.concat(), expected, "{query}");
    }
    // Whatever the size of the page: those without a value come last.
    for (sort, expected) in [
        ("custom.text", "BEACD"),
        ("-custom.text", "CAEBD"),
        ("custom.number", "CBADE"),
        ("-custom.number", "ABCED"),
        ("custom.money", "BCADE"),
        ("-custom.choice,name", "EABCD"),
        ("name,custom.text", "ABCDE"),
    ] {
        for limit in [1, 2, 50] {
            let names = tenant.names(&format!("sort={sort}&limit={limit}")).await;
            assert_eq!(names.concat(), expected, "{sort} by {limit}");
        }
    }
    let sorted = tenant
        .names("sort=-custom.text&filter[custom.number][gte]=0&limit=1")
        .await;
    assert_eq!(sorted.concat(), "AB");

    for query in [
        "filter[custom.choice]=bronze",
        "filter[custom.colour]=red",
        "filter[custom.number][contains]=1",
        "sort=custom.colour",
        "sort=custom.several",
    ] {
        tenant.get(&format!("/v1/products?{query}")).await.expect(400);
    }
}

#[tokio::test]
async fn rules_know_custom_fields_also_of_related_records_and_of_the_past() {
    let tenant = company().await;
    tenant.custom_field("customer", "tier", "choice", tiers()).await;
    tenant.custom_field("opportunity", "weight", "number", json!({})).await;
    let gold = json!({"kind": "organisation", "name": "Gold", "custom": {"tier": "gold"}});
    let gold = tenant.create("customers", gold).await;
    let silver = json!({"kind": "organisation", "name": "Silver", "custom": {"tier": "silver"}});
    let silver = tenant.create("customers", silver).await;
    for (customer, weight) in [(&gold, 1.5), (&gold, 2.25), (&silver, 1.0)] {
        let mut deal = tenant.example("opportunities").await;
        deal["customer_id"] = customer["id"].clone();
        deal["custom"] = json!({"weight": weight});
        tenant.create("opportunities", deal).await;
    }
    let names = async |rule: Value| {
        let body = json!({"rule": rule, "sort": ["-custom.tier"]});
        let found = tenant.post("/v1/customers/search", &body).await.expect(200);
        let data = found.body["data"].as_array().unwrap().clone();
        data.iter()
            .map(|customer| customer["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(json!({"field": "custom.tier", "value": "gold"})).await, ["Gold"]);
    assert_eq!(
        names(json!({"not": {"field": "custom.tier", "value": "gold"}})).await,
        ["Silver"]
    );
    let sum = |op: &str, value: Value| {
        json!({
            "related": "opportunities", "aggregate": {"fn": "sum", "field": "custom.weight"}, "op": op, "value": value,
        })
    };
    assert_eq!(names(sum("eq", json!(3.75))).await, ["Gold"]);
    assert_eq!(names(sum("lt", json!(3.75))).await, ["Silver"]);
    let mean = json!({
        "related": "opportunities", "aggregate": {"fn": "avg", "field": "custom.weight"}, "op": "gt", "value": 1.8,
    });
    assert_eq!(names(mean.clone()).await, ["Gold"]);
    let deals = tenant
        .all("/v1/opportunities?filter[customer.custom.tier]=silver")
        .await;
    assert_eq!(deals.len(), 1);

    let path = format!("/v1/customers/{}", id_of(&silver));
    tenant
        .patch(&path, &json!({"custom": {"tier": "gold"}}))
        .await
        .expect(200);
    assert_eq!(
        names(json!({"history": "custom.tier", "op": "changed_from", "value": "silver"})).await,
        ["Silver"]
    );

    let rule = json!({"all": [{"field": "custom.tier", "value": "gold"}, mean, sum("gte", json!(1))]});
    let segment = json!({"name": "Gold", "kind": "dynamic", "rule": rule});
    let segment = tenant.create("segments", segment).await;
    let explain = format!("/v1/segments/{}/explain", id_of(&segment));
    let told = tenant
        .post(&explain, &json!({"customer_id": gold["id"]}))
        .await
        .expect(200);
    let nodes = &told.body["rule"]["all"];
    assert_eq!(nodes[0]["seen"], json!("gold"), "{}", told.text);
    assert_eq!(nodes[1]["seen"], json!(1.875), "{}", told.text);
    assert_eq!(nodes[2]["seen"], json!(3.75), "{}", told.text);
}

#[tokio::test]
async fn what_records_hold_outlives_changes_of_the_definition() {
    let tenant = Tenant::new();
    let field = tenant.custom_field("product", "tier", "choice", tiers()).await;
    let path = format!("/v1/custom_fields/{}", id_of(&field));
    let product = tenant.product_with("A", json!({"tier": "gold"})).await;
    let product_path = format!("/v1/products/{}", id_of(&product));

    tenant
        .patch(&path, &json!({"key": "level", "type": "text", "options": []}))
        .await
        .expect_faults(422, &["/key immutable", "/type immutable"]);
    let fewer = json!({"options": [{"value": "silver", "name": "Silver"}]});
    tenant.patch(&path, &fewer).await.expect(200);
    tenant.patch(&product_path, &json!({"name": "B"})).await.expect(200);
    tenant
        .post("/v1/products", &json!({"name": "C", "custom": {"tier": "gold"}}))
        .await
        .expect_faults(422, &["/custom/tier not_a_choice"]);

    tenant.patch(&path, &json!({"archived": true})).await.expect(200);
    tenant
        .patch(&product_path, &json!({"custom": {"tier": "silver"}}))
        .await
        .expect_faults(422, &["/custom/tier archived"]);
    assert_eq!(tenant.names("filter[custom.tier][exists]=true").await, ["B"]);

    let in_use = tenant.delete(&path).await.expect(409);
    assert_eq!(in_use.body["code"], "custom_field_in_use");
    tenant
        .patch(&product_path, &json!({"custom": {"tier": null}}))
        .await
        .expect(200);
    tenant.delete(&path).await.expect(204);
    tenant
        .get("/v1/products?filter[custom.tier][exists]=true")
        .await
        .expect(400);
    let again = tenant.custom_field("product", "tier", "number", json!({})).await;
    let restore = format!("{path}/restore");
    tenant.request(Method::POST, &restore).answer().await.expect(409);
    tenant
        .delete(&format!("/v1/custom_fields/{}", id_of(&again)))
        .await
        .expect(204);
    tenant.request(Method::POST, &restore).answer().await.expect(200);
}

#[tokio::test]
async fn a_required_field_is_asked_of_clients_and_two_fields_never_share_a_key() {
    let tenant = Tenant::new();
    let before = tenant.product_with("Before", json!({})).await;
    tenant
        .custom_field("product", "tier", "text", json!({"required": true}))
        .await;
    tenant
        .post("/v1/products", &json!({"name": "A"}))
        .await
        .expect_faults(422, &["/custom/tier required"]);
    tenant
        .post("/v1/products", &json!({"name": ""}))
        .await
        .expect_faults(422, &["/name invalid_length", "/custom/tier required"]);
    let create = |data: Value| json!({"op": "create", "data": data});
    let items = json!([
        create(json!({"name": "A"})),
        create(json!({"name": "B", "custom": {"tier": "x"}})),
        create(json!({"name": ""})),
    ]);
    let answers = tenant.batch("products", items).await.expect(207);
    let told = answers.data().iter().map(|answer| {
        let faults = answer["error"]["errors"].as_array().into_iter().flatten();
        let pointers = faults.map(|fault| fault["pointer"].as_str().unwrap_or_default());
        (answer["status"].clone(), pointers.collect())
    });
    let expected: [(Value, Vec<&str>); 3] = [
        (json!(422), vec!["/data/custom/tier"]),
        (json!(201), vec![]),
        (json!(422), vec!["/data/name", "/data/custom/tier"]),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let path = format!("/v1/products/{}", id_of(&before));
    tenant.patch(&path, &json!({"name": "Still"})).await.expect(200);

    let twin = json!({"resource": "product", "key": "tier", "name": "Tier", "type": "text"});
    let taken = tenant.post("/v1/custom_fields", &twin).await.expect(409);
    assert_eq!(taken.body["code"], "key_taken");
    let sends = (0..8).map(|_| {
        let twin = json!({"resource": "team", "key": "tier", "name": "Tier", "type": "text"});
        let tenant = &tenant;
        async move { tenant.post("/v1/custom_fields", &twin).await.status }
    });
    let mut statuses = futures_util::future::join_all(sends).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn the_document_of_a_tenant_tells_its_custom_fields() {
    let tenant = company().await;
    let document = tenant.get("/openapi.json").await.expect(200).body;
    let schemas = &document["components"]["schemas"];
    for (schema, custom) in [
        ("Product", "ProductCustom"),
        ("ProductFields", "ProductCustomInput"),
        ("ProductPatch", "ProductCustomInput"),
    ] {
        let reference = format!("#/components/schemas/{custom}");
        assert_eq!(schemas[schema]["properties"]["custom"]["$ref"], reference);
    }
    let custom = &schemas["ProductCustom"];
    assert_eq!(custom["additionalProperties"], false);
    assert_eq!(custom["properties"]["choice"]["enum"], json!(["gold", "silver"]));
    assert_eq!(custom["properties"]["number"]["type"], "number");
    let sent = &schemas["ProductCustomInput"]["properties"];
    assert_eq!(sent["number"]["type"], json!(["number", "null"]));
    let parameters = document["paths"]["/v1/products"]["get"]["parameters"]
        .as_array()
        .unwrap();
    assert!(
        parameters
            .iter()
            .any(|parameter| parameter["name"] == "filter[custom.date][gte]")
    );
    let sort = parameters.iter().find(|parameter| parameter["name"] == "sort").unwrap();
    let sorts = sort["schema"]["items"]["enum"].as_array().unwrap();
    assert!(sorts.contains(&json!("-custom.number")));

    let stranger = Tenant::new().get("/openapi.json").await.expect(200).body;
    assert!(stranger["components"]["schemas"]["ProductCustom"].is_null());
}
