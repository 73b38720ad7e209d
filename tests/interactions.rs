//! Interactions, and the events of other systems that become some.

use crate::harness::{Tenant, id_of};
use serde_json::{Value, json};

const CALLS: &str = "/v1/interactions/inbound/telephony";
const POSTS: &str = "/v1/interactions/inbound/social";

fn call_event(name: &str, event_type: &str, second: u32) -> Value {
    json!({
        "source": "pbx", "event_id": name, "call_id": "call-1", "type": event_type,
        "occurred_at": format!("2026-01-31T09:30:{second:02}Z"), "direction": "inbound",
        "from": "+49 30 901820", "to": "101",
    })
}

fn message(name: &str, text: &str) -> Value {
    json!({
        "source": "inbox", "event_id": name, "type": "message", "occurred_at": "2026-01-31T09:30:00Z",
        "network": "linkedin", "handle": "@AdaLovelace", "author_name": "Ada Lovelace", "text": text,
    })
}

async fn customer(tenant: &Tenant) -> String {
    let body = json!({
        "kind": "person", "name": "Ada", "phones": [{"number": "+4930901820"}],
        "handles": [{"network": "linkedin", "handle": "adalovelace"}],
    });
    id_of(&tenant.create("customers", body).await)
}

#[tokio::test]
async fn a_call_is_opened_updated_and_ended_by_its_events() {
    let tenant = Tenant::new();
    let customer = customer(&tenant).await;
    let rings = tenant
        .post(CALLS, &call_event("1", "ringing", 0))
        .await
        .expect(201)
        .body;
    assert_eq!(rings["customer_id"], json!(customer));
    assert_eq!(rings["channel"], "call");
    assert_eq!(rings["ended_at"], Value::Null);

    let answered = tenant
        .post(CALLS, &call_event("2", "answered", 5))
        .await
        .expect(200)
        .body;
    assert_eq!(answered["id"], rings["id"]);
    let ended = tenant.post(CALLS, &call_event("3", "ended", 45)).await.expect(200).body;
    assert_eq!(ended["duration_seconds"], 45);
    assert_eq!(ended["outcome"], Value::Null);
    assert_eq!(ended["version"], 3);

    let again = tenant.post(CALLS, &call_event("3", "ended", 59)).await.expect(200).body;
    assert_eq!(again, ended, "an event counts once");
    let by_call = tenant.get("/v1/interactions/by/pbx/call-1").await.expect(200).body;
    assert_eq!(by_call, ended);
}

#[tokio::test]
async fn a_call_nobody_answers_says_so_and_an_unknown_number_opens_a_lead() {
    let tenant = Tenant::new();
    let missed = tenant
        .post(CALLS, &call_event("1", "missed", 20))
        .await
        .expect(201)
        .body;
    assert_eq!(missed["outcome"], "no_answer");
    let path = format!("/v1/customers/{}", missed["customer_id"].as_str().unwrap());
    let lead = tenant.get(&path).await.expect(200).body;
    assert_eq!(lead["lifecycle"], "lead");
    assert_eq!(lead["phones"][0]["number"], "+4930901820");

    let mut second = call_event("2", "ringing", 0);
    second["call_id"] = json!("call-2");
    let call = tenant.post(CALLS, &second).await.expect(201).body;
    assert_eq!(call["customer_id"], missed["customer_id"], "the lead is found again");
}

#[tokio::test]
async fn events_that_come_together_make_one_interaction() {
    let tenant = Tenant::new();
    let events: Vec<_> = (0..12)
        .map(|number| call_event(&number.to_string(), "ringing", number))
        .collect();
    let answers = futures_util::future::join_all(events.iter().map(|event| tenant.post(CALLS, event))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201)));
    assert_eq!(tenant.all("/v1/interactions").await.len(), 1);
    assert_eq!(tenant.all("/v1/customers").await.len(), 1);
}

#[tokio::test]
async fn what_is_written_in_a_network_goes_into_the_open_conversation() {
    let tenant = Tenant::new();
    let customer = customer(&tenant).await;
    let mut close = message("9", "");
    close["type"] = json!("closed");
    close.as_object_mut().unwrap().remove("text");
    tenant.post(POSTS, &close).await.expect(404);

    let first = tenant.post(POSTS, &message("1", "Hello")).await.expect(201).body;
    assert_eq!(first["customer_id"], json!(customer));
    assert_eq!(first["thread"], "linkedin:AdaLovelace");
    let second = tenant
        .post(POSTS, &message("2", "Anybody there?"))
        .await
        .expect(200)
        .body;
    assert_eq!(second["body"], "Hello\n\nAnybody there?");
    assert_eq!(second["message_count"], 2);
    let closed = tenant.post(POSTS, &close).await.expect(200).body;
    assert_ne!(closed["ended_at"], Value::Null);
    let next = tenant
        .post(POSTS, &message("3", "One more thing"))
        .await
        .expect(201)
        .body;
    assert_ne!(next["id"], first["id"], "what is over stays so");
}

#[tokio::test]
async fn a_wrong_event_is_told_its_faults_and_leaves_nothing() {
    let tenant = Tenant::new();
    let mut event = call_event("1", "ringing", 0);
    event["from"] = json!("101");
    tenant
        .post(CALLS, &event)
        .await
        .expect_faults(422, &["/from invalid_format"]);
    event["type"] = json!("sings");
    event["call_id"] = json!("");
    tenant
        .post(CALLS, &event)
        .await
        .expect_faults(422, &["/type invalid_choice", "/call_id invalid_length"]);
    let mut post = message("1", "x");
    post["handle"] = json!("@");
    tenant
        .post(POSTS, &post)
        .await
        .expect_faults(422, &["/handle invalid_length"]);
    assert!(tenant.all("/v1/interactions").await.is_empty());
    assert!(tenant.all("/v1/customers").await.is_empty());
}

#[tokio::test]
async fn customers_are_found_by_what_their_interactions_amount_to() {
    let tenant = Tenant::new();
    let [ada, bob] = [customer(&tenant).await, tenant.example_id("customers").await];
    let contact = async |channel: &str, customer: &str, day: u32| {
        let body = json!({
            "channel": channel, "customer_id": customer, "started_at": format!("2026-01-{day:02}T10:00:00Z"),
        });
        format!("/v1/interactions/{}", id_of(&tenant.create("interactions", body).await))
    };
    let first = contact("call", &ada, 5).await;
    let second = contact("call", &ada, 9).await;
    contact("email", &bob, 7).await;

    let found = async |filter: &str| {
        let mut ids: Vec<String> = tenant
            .all(&format!("/v1/customers?{filter}"))
            .await
            .iter()
            .map(id_of)
            .collect();
        ids.sort();
        ids
    };
    let both = {
        let mut both = vec![ada.clone(), bob.clone()];
        both.sort();
        both
    };
    assert_eq!(found("filter[call_count][gte]=2").await, std::slice::from_ref(&ada));
    assert_eq!(found("filter[call_count]=0").await, std::slice::from_ref(&bob));
    assert_eq!(found("filter[interaction_count][gte]=1").await, both);
    assert_eq!(
        found("filter[last_interaction_at][gte]=2026-01-08").await,
        std::slice::from_ref(&ada)
    );
    assert_eq!(
        found("filter[last_interaction_at][missing]=true").await,
        Vec::<String>::new()
    );

    tenant.patch(&second, &json!({"customer_id": bob})).await.expect(200);
    assert_eq!(
        found("filter[last_interaction_at][gte]=2026-01-08").await,
        std::slice::from_ref(&bob)
    );
    tenant.delete(&second).await.expect(204);
    assert_eq!(
        found("filter[last_interaction_at][gte]=2026-01-08").await,
        Vec::<String>::new()
    );
    assert_eq!(found("filter[call_count]=1").await, std::slice::from_ref(&ada));
    tenant.post(&format!("{second}/restore"), &json!({})).await.expect(200);
    assert_eq!(found("filter[call_count]=1").await, both);
    tenant.delete(&format!("{first}?purge=true")).await.expect(204);
    assert_eq!(found("filter[interaction_count]=0").await, [ada]);
}

#[tokio::test]
async fn an_interaction_names_its_participants_and_the_records_it_has_to_do_with() {
    let tenant = Tenant::new();
    let customer = customer(&tenant).await;
    let opportunity = tenant.example_id("opportunities").await;
    let link = json!({"type": "opportunity", "id": opportunity});
    let body = json!({
        "channel": "meeting", "customer_id": customer, "started_at": "2026-01-31T09:00:00Z",
        "ended_at": "2026-01-31T10:30:00Z", "outcome": "productive", "sentiment": "positive",
        "participants": [{"customer_id": customer, "role": "attendee"}, {"role": "attendee", "address": "Bob"}],
        "links": [link],
    });
    let meeting = tenant.create("interactions", body).await;
    assert_eq!(meeting["duration_seconds"], 5400);
    for filter in [
        format!("filter[customer_ids]={customer}"),
        format!("filter[links]=opportunity:{opportunity}"),
        "filter[customer.name]=Ada".to_owned(),
        "q=bob".to_owned(),
    ] {
        let found = tenant.all(&format!("/v1/interactions?{filter}")).await;
        assert_eq!(found, std::slice::from_ref(&meeting), "{filter}");
    }

    let wrong = json!({
        "channel": "meeting", "started_at": "2026-01-31T09:00:00Z", "ended_at": "2026-01-31T08:00:00Z",
        "participants": [{"role": "attendee"}],
        "links": [{"type": "opportunity", "id": customer}],
    });
    tenant
        .post("/v1/interactions", &wrong)
        .await
        .expect_faults(422, &["/ended_at out_of_range", "/participants/0 invalid_participant"]);
    let wrong = json!({
        "channel": "meeting", "started_at": "2026-01-31T09:00:00Z",
        "links": [{"type": "opportunity", "id": customer}, {"type": "product", "id": "by/erp/none"}],
    });
    tenant
        .post("/v1/interactions", &wrong)
        .await
        .expect_faults(422, &["/links/1/id unknown_reference"]);
}
