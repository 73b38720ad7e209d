//! Tickets: how they move, and what is said in them.

use crate::harness::{Answer, Tenant, id_of};
use serde_json::{Value, json};

pub(crate) fn path_of(ticket: &Value) -> String {
    format!("/v1/tickets/{}", id_of(ticket))
}

pub(crate) async fn act(tenant: &Tenant, ticket: &Value, action: &str, body: Value) -> Answer {
    tenant.post(&format!("{}/{action}", path_of(ticket)), &body).await
}

pub(crate) async fn open(tenant: &Tenant, more: Value) -> Value {
    let mut body = json!({"subject": "Parcel has not arrived"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    tenant.create("tickets", body).await
}

async fn say(tenant: &Tenant, ticket: &Value, more: Value) -> Answer {
    let mut body = json!({"body": "Where is it?"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    act(tenant, ticket, "comments", body).await
}

pub(crate) async fn customer(tenant: &Tenant, name: &str) -> String {
    id_of(
        &tenant
            .create("customers", json!({"kind": "person", "name": name}))
            .await,
    )
}

pub(crate) async fn now(tenant: &Tenant, ticket: &Value) -> Value {
    tenant.get(&path_of(ticket)).await.expect(200).body
}

#[tokio::test]
async fn a_ticket_has_a_number_and_is_found_by_all_that_it_is_tied_to() {
    let tenant = Tenant::new();
    let ada = customer(&tenant, "Ada Byron").await;
    let agent = id_of(&tenant.create("users", json!({"name": "Grace", "role": "agent"})).await);
    let other = open(&tenant, json!({})).await;
    let deal = id_of(&tenant.create_example("opportunities").await);
    let ticket = open(
        &tenant,
        json!({
            "type": "incident", "priority": "high", "queue": "returns", "channel": "email",
            "customer_id": ada, "requester_id": ada, "assignee_id": agent, "watcher_ids": [agent],
            "links": [
                {"kind": "duplicates", "to": {"type": "ticket", "id": other["id"]}},
                {"to": {"type": "opportunity", "id": deal}},
            ],
        }),
    )
    .await;
    assert_eq!((&other["number"], &ticket["number"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&ticket["status"], &ticket["links"][1]["kind"]),
        (&json!("new"), &json!("relates_to"))
    );
    assert_eq!(now(&tenant, &ticket).await, ticket);
    for filter in [
        "filter[number]=2".to_owned(),
        "filter[type]=incident".to_owned(),
        "filter[priority][in]=high,urgent".to_owned(),
        "filter[queue]=returns".to_owned(),
        "filter[channel]=email".to_owned(),
        format!("filter[customer_id]={ada}"),
        format!("filter[assignee_id]={agent}"),
        format!("filter[watcher_ids]={agent}"),
        format!("filter[links]=opportunity:{deal}"),
        format!("filter[links]=ticket:{}", id_of(&other)),
        "filter[customer.name]=Ada%20Byron".to_owned(),
        "sort=-number&limit=1".to_owned(),
    ] {
        let found = tenant.get(&format!("/v1/tickets?{filter}")).await.expect(200);
        assert_eq!(found.ids(), [id_of(&ticket)], "{filter}");
    }
    let whole = format!("{}?include=customer,assignee", path_of(&ticket));
    let whole = tenant.get(&whole).await.expect(200).body;
    assert_eq!(
        (&whole["customer"]["name"], &whole["assignee"]["name"]),
        (&json!("Ada Byron"), &json!("Grace"))
    );
    let same = Tenant::new();
    assert_eq!(
        open(&same, json!({})).await["number"],
        1,
        "every tenant counts for itself"
    );
}

#[tokio::test]
async fn every_fault_of_a_ticket_is_told() {
    let tenant = Tenant::new();
    let nobody = "0199aaaa-0000-7000-8000-000000000000";
    let wrong = json!({
        "subject": "", "queue": "", "priority": "extreme",
        "links": [{"kind": "causes", "to": {"type": "customer", "id": nobody}}],
        "complaint": {"category": "billing//late"},
    });
    let faults = [
        "/subject invalid_length",
        "/queue invalid_length",
        "/priority invalid_choice",
        "/links/0/to/type invalid_choice",
        "/complaint not_a_complaint",
        "/complaint/category invalid_format",
    ];
    let told = tenant.post("/v1/tickets", &wrong).await.expect(422);
    assert!(
        told.faults().contains(&"/priority invalid_choice".to_owned()),
        "{}",
        told.text
    );
    let mut wrong = wrong;
    wrong["priority"] = json!("urgent");
    let faults: Vec<_> = faults.into_iter().filter(|fault| !fault.contains("priority")).collect();
    let told = tenant.post("/v1/tickets", &wrong).await.expect(422).faults();
    assert!(
        faults.iter().all(|fault| told.contains(&(*fault).to_owned())),
        "{told:?}"
    );

    let strangers = json!({
        "subject": "x", "customer_id": nobody, "assignee_id": nobody, "watcher_ids": [nobody],
        "links": [{"to": {"type": "opportunity", "id": nobody}}],
    });
    let faults = [
        "/customer_id unknown_reference",
        "/assignee_id unknown_reference",
        "/watcher_ids/0 unknown_reference",
        "/links/0/to/id unknown_reference",
    ];
    tenant.post("/v1/tickets", &strangers).await.expect_faults(422, &faults);
}

#[tokio::test]
async fn a_ticket_goes_its_way_and_comes_back_on_purpose_only() {
    let tenant = Tenant::new();
    let ticket = open(&tenant, json!({})).await;
    let path = path_of(&ticket);
    let to = async |status: &str| tenant.patch(&path, &json!({"status": status})).await;
    to("closed").await.expect_faults(422, &["/status illegal_transition"]);
    act(&tenant, &ticket, "reopen", json!({}))
        .await
        .expect_problem(409, "ticket_open");
    for status in ["open", "pending", "on_hold", "solved"] {
        assert_eq!(to(status).await.expect(200).body["status"], status);
    }
    to("open").await.expect_faults(422, &["/status illegal_transition"]);
    let closed = to("closed").await.expect(200).body;
    assert!(closed["solved_at"].is_string() && closed["closed_at"].is_string());
    act(&tenant, &ticket, "escalate", json!({}))
        .await
        .expect_problem(409, "ticket_done");
    say(&tenant, &ticket, json!({}))
        .await
        .expect_problem(409, "ticket_closed");

    let reason = json!({"reason": "It came back empty"});
    let reopened = act(&tenant, &ticket, "reopen", reason).await.expect(200).body;
    assert_eq!(
        (&reopened["status"], &reopened["reopened_count"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(
        (&reopened["solved_at"], &reopened["closed_at"]),
        (&json!(null), &json!(null))
    );
    let comments = tenant.all(&format!("{path}/comments")).await;
    assert_eq!(
        (&comments[0]["body"], &comments[0]["public"]),
        (&json!("It came back empty"), &json!(false))
    );
    let told = tenant.kinds_of_events(&ticket).await;
    let of_reopening: Vec<_> = told[6..].iter().collect();
    assert_eq!(
        told[..6],
        ["created", "updated", "updated", "updated", "solved", "closed"]
    );
    assert!(
        of_reopening.iter().any(|what| *what == "reopened") && of_reopening.iter().any(|what| *what == "commented")
    );
}

#[tokio::test]
async fn what_is_said_moves_the_ticket() {
    let tenant = Tenant::new();
    let ada = customer(&tenant, "Ada Byron").await;
    let ticket = open(&tenant, json!({"customer_id": ada})).await;
    let note = say(&tenant, &ticket, json!({"public": false})).await.expect(201).body;
    assert_eq!((&note["public"], &note["customer_id"]), (&json!(false), &json!(null)));
    let after = now(&tenant, &ticket).await;
    assert_eq!(
        (&after["status"], &after["first_responded_at"]),
        (&json!("new"), &json!(null))
    );

    let answer = say(&tenant, &ticket, json!({})).await.expect(201).body;
    let after = now(&tenant, &ticket).await;
    assert_eq!(
        (&after["status"], &after["first_responded_at"]),
        (&json!("open"), &answer["created_at"])
    );
    tenant
        .patch(&path_of(&ticket), &json!({"status": "solved"}))
        .await
        .expect(200);
    let said = say(&tenant, &ticket, json!({"customer_id": ada, "public": false}))
        .await
        .expect(201)
        .body;
    assert_eq!(said["public"], true, "what the customer says, it knows");
    let after = now(&tenant, &ticket).await;
    assert_eq!(
        (&after["status"], &after["reopened_count"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(
        (&after["unanswered_since"], &after["comment_count"]),
        (&said["created_at"], &json!(3))
    );

    let paged = tenant.all(&format!("{}/comments?limit=2", path_of(&ticket))).await;
    assert_eq!(paged, [note, answer, said]);
    let wrong = json!({"body": "", "customer_id": "0199aaaa-0000-7000-8000-000000000000"});
    act(&tenant, &ticket, "comments", wrong)
        .await
        .expect_faults(422, &["/body invalid_length"]);
    let stranger = json!({"customer_id": "0199aaaa-0000-7000-8000-000000000000"});
    say(&tenant, &ticket, stranger)
        .await
        .expect_faults(422, &["/customer_id unknown_reference"]);
}

#[tokio::test]
async fn a_ticket_is_passed_on() {
    let tenant = Tenant::new();
    let boss = id_of(
        &tenant
            .create("users", json!({"name": "Grace", "role": "manager"}))
            .await,
    );
    let ticket = open(&tenant, json!({"queue": "first level"})).await;
    let to = json!({"assignee_id": boss, "priority": "urgent", "reason": "Threatens to leave"});
    let passed = act(&tenant, &ticket, "escalate", to).await.expect(200).body;
    assert_eq!(
        (&passed["assignee_id"], &passed["priority"]),
        (&json!(boss), &json!("urgent"))
    );
    assert_eq!(
        (&passed["queue"], &passed["escalation_level"]),
        (&json!("first level"), &json!(1))
    );
    let again = act(&tenant, &ticket, "escalate", json!({"queue": "board"}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&again["queue"], &again["escalation_level"]),
        (&json!("board"), &json!(2))
    );
    let told = tenant.kinds_of_events(&ticket).await;
    for what in ["escalated", "assigned", "commented"] {
        assert!(told.iter().any(|told| told == what), "{what}: {told:?}");
    }
    let found = tenant
        .get("/v1/tickets?filter[escalation_level][gte]=2")
        .await
        .expect(200);
    assert_eq!(found.ids(), [id_of(&ticket)]);
}

#[tokio::test]
async fn tickets_are_merged_and_split() {
    let tenant = Tenant::new();
    let (ada, bob) = (customer(&tenant, "Ada").await, customer(&tenant, "Bob").await);
    let one = open(&tenant, json!({"customer_id": ada})).await;
    let two = open(&tenant, json!({"customer_id": ada})).await;
    let alien = open(&tenant, json!({"customer_id": bob})).await;
    let first = say(&tenant, &two, json!({"body": "first"})).await.expect(201).body;
    say(&tenant, &one, json!({"body": "second", "customer_id": ada}))
        .await
        .expect(201);
    let into = |ticket: &Value| json!({"into_ticket_id": ticket["id"]});
    act(&tenant, &one, "merge", into(&alien))
        .await
        .expect_problem(409, "customers_differ");
    act(&tenant, &one, "merge", into(&one))
        .await
        .expect_faults(422, &["/into_ticket_id invalid_value"]);
    let merged = act(&tenant, &one, "merge", into(&two)).await.expect(200).body;
    assert_eq!(
        (&merged["status"], &merged["merged_into_id"]),
        (&json!("closed"), &two["id"])
    );
    let comments = tenant.all(&format!("{}/comments", path_of(&two))).await;
    let bodies: Vec<_> = comments.iter().map(|comment| &comment["body"]).collect();
    assert_eq!(bodies, ["first", "second"]);
    assert_eq!(
        tenant.all(&format!("{}/comments", path_of(&one))).await,
        [Value::Null; 0]
    );
    act(&tenant, &one, "reopen", json!({}))
        .await
        .expect_problem(409, "ticket_merged");
    assert_eq!(tenant.kinds_of_events(&one).await.last().unwrap(), "merged");
    assert_eq!(tenant.kinds_of_events(&two).await.last().unwrap(), "absorbed");

    let off = json!({"comment_id": comments[1]["id"], "subject": "Another matter"});
    let split = act(&tenant, &two, "split", off.clone()).await.expect(201);
    assert_eq!(split.header("location"), path_of(&split.body));
    let new = &split.body;
    assert_eq!(
        (&new["description"], &new["customer_id"]),
        (&json!("second"), &json!(ada))
    );
    let follows = json!([{"kind": "follows", "to": {"type": "ticket", "id": two["id"]}}]);
    assert_eq!((&new["links"], &new["comment_count"]), (&follows, &json!(1)));
    assert_eq!(tenant.all(&format!("{}/comments", path_of(&two))).await, [first]);
    assert_eq!(now(&tenant, &two).await["comment_count"], 1);
    act(&tenant, &two, "split", off)
        .await
        .expect_faults(422, &["/comment_id unknown_reference"]);
    assert_eq!(tenant.kinds_of_events(&two).await.last().unwrap(), "split");
}

#[tokio::test]
async fn tickets_opened_at_once_have_numbers_of_their_own() {
    let tenant = Tenant::new();
    let opened = crate::harness::at_once(20, |_| open(&tenant, json!({}))).await;
    let mut numbers: Vec<_> = opened.iter().map(|ticket| ticket["number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 20);
}

#[tokio::test]
async fn an_action_obeys_preconditions_dry_runs_and_tenants() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let ticket = open(&tenant, json!({})).await;
    let comments = format!("{}/comments", path_of(&ticket));
    let said = json!({"body": "Hello"});
    tenant
        .post(&format!("{comments}?dry_run=true"), &said)
        .await
        .expect(201);
    assert_eq!(tenant.all(&comments).await.len(), 0);
    assert_eq!(now(&tenant, &ticket).await, ticket);
    for action in ["comments", "reopen", "escalate"] {
        let body = if action == "comments" { said.clone() } else { json!({}) };
        act(&other, &ticket, action, body)
            .await
            .expect_problem(404, "not_found");
    }
    let theirs = open(&other, json!({})).await;
    let into = json!({"into_ticket_id": ticket["id"]});
    act(&other, &theirs, "merge", into)
        .await
        .expect_faults(422, &["/into_ticket_id unknown_reference"]);
    other.get(&comments).await.expect_problem(404, "not_found");
    let reader = tenant.as_role("reader");
    act(&reader, &ticket, "comments", said.clone()).await.expect(403);
    tenant.post(&comments, &said).await.expect(201);
    tenant
        .delete(&format!("{}?purge=true", path_of(&ticket)))
        .await
        .expect(204);
    tenant.get(&comments).await.expect_problem(404, "not_found");
}
