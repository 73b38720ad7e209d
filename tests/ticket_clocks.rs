//! The clocks of tickets: how they count, and what the service tells by itself.

use crate::harness::{Database, Server, Settings, Tenant, eventually, id_of};
use crate::tickets::{act, now, open, path_of};
use serde_json::{Value, json};

/// A policy for everybody: an hour to answer, two for each next answer, ten to solve, each with a warning.
pub(crate) async fn policy(tenant: &Tenant, more: Value) -> String {
    let target = |minutes: i64, warning: i64| json!({"minutes": minutes, "warning_minutes": warning});
    let mut body = json!({
        "name": "Everybody", "position": 9,
        "targets": {"first_response": target(60, 30), "next_response": target(120, 30), "resolution": target(600, 590)},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    id_of(&tenant.create("sla_policies", body).await)
}

/// Seconds since 1970 of an instant.
pub(crate) fn seconds(instant: &Value) -> i64 {
    let instant = instant.as_str().and_then(sql::Timestamp::parse);
    instant.unwrap_or_else(|| panic!("not an instant")).micros() / 1_000_000
}

/// Makes a clock of a ticket older by so many seconds, and lets the service look at it.
fn age(server: &Server, ticket: &Value, clock: &str, seconds: u64) {
    let (id, url) = (id_of(ticket), &server.settings.database_url);
    let blob = id.replace('-', "");
    Database::execute(
        url,
        &format!(
            "UPDATE tickets SET progress = json_set(progress, '$.{clock}.counted_to', \
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{seconds} seconds')) WHERE id = x'{blob}'"
        ),
        &format!(
            "UPDATE tickets SET progress = jsonb_set(progress, '{{{clock},counted_to}}', \
             to_jsonb(to_char((now() - interval '{seconds} s') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))) \
             WHERE id = '{id}'"
        ),
    );
    Database::execute(
        url,
        &format!("UPDATE ticket_alarms SET due_at = 0 WHERE ticket_id = x'{blob}'"),
        &format!("UPDATE ticket_alarms SET due_at = '2020-01-01' WHERE ticket_id = '{id}'"),
    );
}

/// Waits until a ticket has been told of.
async fn told(tenant: &Tenant, ticket: &Value, what: &str) -> Vec<String> {
    eventually(what, async || {
        let told = tenant.kinds_of_events(ticket).await;
        told.iter().any(|kind| kind == what).then_some(told)
    })
    .await
}

#[tokio::test]
async fn business_hours_count_and_stay_while_they_are_needed() {
    let tenant = Tenant::new();
    let always = |day: &str| json!({"day": day, "from": "00:00", "to": "24:00"});
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let hours = json!({"name": "Always", "time_zone": "Europe/Berlin", "openings": days.map(always)});
    let hours = tenant.create("business_hours", hours).await;
    let path = format!("/v1/business_hours/{}", id_of(&hours));
    let policy = policy(&tenant, json!({"business_hours_id": hours["id"]})).await;
    let ticket = open(&tenant, json!({})).await;
    assert_eq!(
        seconds(&ticket["resolution_due_at"]) - seconds(&ticket["created_at"]),
        600 * 60
    );

    // The next month is a holiday.
    let today = seconds(&ticket["created_at"]) / 86_400;
    let day = |days: i64| {
        let instant = sql::Timestamp::from_micros((today + days) * 86_400_000_000).unwrap();
        instant.to_rfc3339()[..10].to_owned()
    };
    let holidays: Vec<_> = (-1..30).map(day).collect();
    tenant.patch(&path, &json!({"holidays": holidays})).await.expect(200);
    let later = tenant
        .patch(&path_of(&ticket), &json!({"queue": "x"}))
        .await
        .expect(200)
        .body;
    let days = (seconds(&later["resolution_due_at"]) - seconds(&ticket["created_at"])) / 86_400;
    assert!((28..31).contains(&days), "{days} days");

    tenant.delete(&path).await.expect_problem(409, "business_hours_in_use");
    tenant.delete(&format!("/v1/sla_policies/{policy}")).await.expect(204);
    tenant.delete(&path).await.expect(204);
    let free = tenant
        .patch(&path_of(&ticket), &json!({"queue": "y"}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&free["due_at"], &free["resolution"]["phase"]),
        (&json!(null), &json!("stopped"))
    );
}

#[tokio::test]
async fn clocks_pause_while_one_waits_and_stop_with_an_answer() {
    let tenant = Tenant::new();
    policy(&tenant, json!({})).await;
    let ada = id_of(
        &tenant
            .create("customers", json!({"kind": "person", "name": "Ada"}))
            .await,
    );
    let ticket = open(&tenant, json!({"customer_id": ada})).await;
    let to = async |status: &str| {
        let patch = json!({ "status": status });
        tenant.patch(&path_of(&ticket), &patch).await.expect(200).body
    };
    let pending = to("pending").await;
    assert_eq!(
        (&pending["due_at"], &pending["first_response"]["phase"]),
        (&json!(null), &json!("paused"))
    );
    let back = to("open").await;
    assert!(
        seconds(&back["due_at"]) >= seconds(&ticket["due_at"]),
        "a pause brings nothing forward"
    );

    let say = async |more: Value| {
        act(&tenant, &ticket, "comments", more).await.expect(201);
        now(&tenant, &ticket).await
    };
    let answered = say(json!({"body": "We look into it."})).await;
    assert_eq!(answered["first_response"]["phase"], "stopped");
    assert_eq!(
        (&answered["response_due_at"], &answered["due_at"]),
        (&json!(null), &answered["resolution_due_at"])
    );
    let asked = say(json!({"body": "And?", "customer_id": ada})).await;
    assert_eq!(
        seconds(&asked["response_due_at"]) - seconds(&asked["unanswered_since"]),
        120 * 60
    );
    let again = say(json!({"body": "Hello?", "customer_id": ada})).await;
    assert_eq!(
        again["response_due_at"], asked["response_due_at"],
        "asking twice does not start it anew"
    );
    say(json!({"body": "A note", "public": false})).await;
    let answered = say(json!({"body": "It is on its way."})).await;
    assert_eq!(
        (&answered["unanswered_since"], &answered["response_due_at"]),
        (&json!(null), &json!(null))
    );
    let solved = to("solved").await;
    assert_eq!(
        (&solved["due_at"], &solved["resolution"]["phase"]),
        (&json!(null), &json!("stopped"))
    );
    assert_eq!(solved["breached"], false);
}

#[tokio::test]
async fn a_warning_and_a_breach_are_told_on_time_and_once() {
    let tenant = Tenant::new();
    policy(&tenant, json!({})).await;
    let ticket = open(&tenant, json!({})).await;
    let server = Server::shared();
    age(server, &ticket, "first_response", 31 * 60);
    assert_eq!(told(&tenant, &ticket, "sla_warning").await, ["created", "sla_warning"]);
    let warned = now(&tenant, &ticket).await;
    assert!(warned["first_response"]["warned_at"].is_string());
    assert_eq!(warned["breached"], false);

    age(server, &ticket, "first_response", 61 * 60);
    assert_eq!(
        told(&tenant, &ticket, "sla_breached").await,
        ["created", "sla_warning", "sla_breached"]
    );
    let breached = now(&tenant, &ticket).await;
    assert_eq!(breached["breached"], true);
    let late = seconds(&breached["updated_at"]) - seconds(&breached["first_response"]["breached_at"]);
    assert!((50..120).contains(&late), "it was due a minute before and some: {late}");
    let found = tenant.get("/v1/tickets?filter[breached]=true").await.expect(200);
    assert_eq!(found.ids(), [id_of(&ticket)]);

    age(server, &ticket, "first_response", 90 * 60);
    act(&tenant, &ticket, "comments", json!({"body": "Sorry."}))
        .await
        .expect(201);
    assert_eq!(
        tenant.kinds_of_events(&ticket).await[3..],
        ["commented"],
        "nothing is told twice"
    );
    let events = tenant.events_of(&ticket).await;
    assert_eq!(events[2]["actor"]["type"], "system");
    assert_eq!(
        events[2]["changes"]["breached"],
        json!({"before": false, "after": true})
    );
}

#[tokio::test]
async fn what_ends_too_late_is_told_with_what_ends_it() {
    let tenant = Tenant::new();
    policy(&tenant, json!({"targets": {"resolution": {"minutes": 60}}})).await;
    let ticket = open(&tenant, json!({})).await;
    let paused = tenant
        .patch(&path_of(&ticket), &json!({"status": "pending"}))
        .await
        .expect(200)
        .body;
    assert_eq!(paused["due_at"], json!(null));
    tenant
        .patch(&path_of(&ticket), &json!({"status": "open"}))
        .await
        .expect(200);
    age(Server::shared(), &ticket, "resolution", 3700);
    tenant
        .patch(&path_of(&ticket), &json!({"status": "solved"}))
        .await
        .expect(200);
    let told = tenant.kinds_of_events(&ticket).await;
    let count = |what: &str| told.iter().filter(|kind| *kind == what).count();
    assert_eq!((count("solved"), count("sla_breached")), (1, 1), "{told:?}");
}

#[tokio::test]
async fn two_instances_tell_of_a_breach_once() {
    let settings = Settings::new();
    let one = Server::start(settings.clone());
    let two = Server::start(settings);
    let tenant = Tenant::on(&one);
    policy(&tenant, json!({"targets": {"resolution": {"minutes": 60}}})).await;
    let tickets = crate::harness::at_once(60, |_| open(&tenant, json!({}))).await;
    for ticket in &tickets {
        age(&two, ticket, "resolution", 3700);
    }
    eventually("every breach", async || {
        let found = tenant
            .get("/v1/tickets?filter[breached]=true&limit=100")
            .await
            .expect(200);
        (found.data().len() == tickets.len()).then_some(())
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let told = tenant.changes_of("ticket.sla_breached").await;
    assert_eq!(told.len(), tickets.len());
}

#[tokio::test]
async fn a_deleted_ticket_tells_nothing_until_it_is_restored() {
    let tenant = Tenant::new();
    policy(&tenant, json!({"targets": {"resolution": {"minutes": 60}}})).await;
    let ticket = open(&tenant, json!({})).await;
    tenant.delete(&path_of(&ticket)).await.expect(204);
    age(Server::shared(), &ticket, "resolution", 3700);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(tenant.kinds_of_events(&ticket).await, ["created", "deleted"]);
    act(&tenant, &ticket, "restore", json!({})).await.expect(200);
    let told = told(&tenant, &ticket, "sla_breached").await;
    assert_eq!(told, ["created", "deleted", "restored", "sla_breached"]);
}
