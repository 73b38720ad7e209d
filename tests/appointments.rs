//! Appointments: when they take place, who is busy then, and the calendars that calendar programs read.

use crate::harness::{Answer, PASSWORD, Send, Server, Tenant, eventually, id_of};
use chrono::{Duration, SecondsFormat, Utc};
use reqwest::Method;
use serde_json::{Value, json};

fn in_minutes(minutes: i64) -> String {
    let instant = Utc::now() + Duration::minutes(minutes);
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// When users are busy in the week of 23 March 2026, as `start/end` without the year and the seconds.
async fn busy(tenant: &Tenant, users: &[&Value]) -> Vec<Vec<String>> {
    let users: Vec<_> = users.iter().map(|user| id_of(user)).collect();
    let window = "from=2026-03-23T00:00:00Z&to=2026-04-06T00:00:00Z";
    let path = format!("/v1/calendar/free_busy?users={}&{window}", users.join(","));
    let answer = tenant.get(&path).await.expect(200);
    let short = |instant: &Value| instant.as_str().unwrap()[5..16].to_owned();
    let span = |span: &Value| format!("{}/{}", short(&span["starts_at"]), short(&span["ends_at"]));
    let of_user = |user: &Value| user["busy"].as_array().unwrap().iter().map(span).collect();
    answer.data().iter().map(of_user).collect()
}

#[tokio::test]
async fn an_appointment_recurs_by_local_clocks_and_ends() {
    let tenant = Tenant::with_options(&["--time-zone", "Europe/Berlin"]);
    let body = json!({
        "subject": "Round", "starts_at": "2026-03-23T08:00:00Z", "ends_at": "2026-03-23T09:00:00Z",
        "recurrence": "FREQ=WEEKLY;COUNT=3", "except_on": ["2026-04-06"],
    });
    let created = tenant.create("appointments", body).await;
    assert_eq!(created["first_starts_at"], "2026-03-23T08:00:00.000000Z");
    assert_eq!(created["last_ends_at"], "2026-03-30T08:00:00.000000Z");
    let path = format!("/v1/appointments/{}", id_of(&created));
    let endless = json!({"recurrence": "FREQ=WEEKLY", "except_on": []});
    assert_eq!(
        tenant.patch(&path, &endless).await.expect(200).body["last_ends_at"],
        Value::Null
    );
    tenant.patch(&path, &json!({"status": "cancelled"})).await.expect(200);
    let kinds = tenant.kinds_of_events(&created).await;
    assert_eq!(kinds, ["created", "rescheduled", "cancelled"]);
}

#[tokio::test]
async fn every_fault_of_an_appointment_is_told() {
    let tenant = Tenant::new();
    let nobody = uuid::Uuid::nil();
    let wrong = json!({
        "subject": "Round", "starts_at": "2026-03-23T08:00:00Z", "ends_at": "2026-03-23T08:00:00Z",
        "participants": [{"user_id": nobody, "customer_id": nobody}, {"role": "chair"}],
        "reminders": [15, 50000], "except_on": ["2026-03-24"],
    });
    tenant.post("/v1/appointments", &wrong).await.expect_faults(
        422,
        &[
            "/ends_at out_of_range",
            "/participants/0 invalid_participant",
            "/participants/1 invalid_participant",
            "/reminders/1 out_of_range",
            "/except_on conflict",
        ],
    );
    tenant
        .post("/v1/appointments", &json!({"subject": "Round"}))
        .await
        .expect_faults(422, &["/starts_at required"]);
    let unknown = json!({
        "subject": "Round", "starts_on": "2026-03-23", "ends_on": "2026-03-24", "participants": [{"user_id": nobody}],
    });
    let faults = ["/participants/0/user_id unknown_reference"];
    tenant
        .post("/v1/appointments", &unknown)
        .await
        .expect_faults(422, &faults);
}

#[tokio::test]
async fn users_are_busy_when_they_take_part_and_have_not_declined() {
    let tenant = Tenant::with_options(&["--time-zone", "Europe/Berlin"]);
    let [ada, bob] = ["Ada", "Bob"].map(|name| json!({"name": name, "role": "agent"}));
    let (ada, bob) = (tenant.create("users", ada).await, tenant.create("users", bob).await);
    let book = async |body: Value| {
        let mut appointment = json!({"subject": "secret plan", "owner_id": ada["id"]});
        appointment
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        tenant.create("appointments", appointment).await
    };
    let at = |start: &str, end: &str| json!({"starts_at": format!("2026-03-{start}:00Z"), "ends_at": format!("2026-03-{end}:00Z")});
    let with = |mut body: Value, more: Value| {
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let invited = |response: &str| json!({"participants": [{"user_id": bob["id"], "response": response}]});
    let weekly = with(at("23T08:00", "23T09:00"), json!({"recurrence": "FREQ=WEEKLY"}));
    book(with(weekly, invited("accepted"))).await;
    book(with(at("23T08:30", "23T10:00"), invited("declined"))).await;
    book(with(at("24T08:00", "24T09:00"), json!({"status": "cancelled"}))).await;
    book(with(at("25T08:00", "25T09:00"), json!({"show_as": "free"}))).await;
    let gone = book(at("26T08:00", "26T09:00")).await;
    tenant
        .delete(&format!("/v1/appointments/{}", id_of(&gone)))
        .await
        .expect(204);
    book(json!({"starts_on": "2026-03-29", "ends_on": "2026-03-29"})).await;
    book(with(at("22T20:00", "23T00:30"), json!({}))).await;
    Tenant::new().create_example("appointments").await;

    let reader = tenant.as_role("reader");
    let found = busy(&reader, &[&bob, &ada]).await;
    assert_eq!(found[0], ["03-23T08:00/03-23T09:00", "03-30T07:00/03-30T08:00"]);
    let of_ada = [
        "03-23T00:00/03-23T00:30",
        "03-23T08:00/03-23T10:00",
        "03-28T23:00/03-29T22:00",
        "03-30T07:00/03-30T08:00",
    ];
    assert_eq!(found[1], of_ada);
}

#[tokio::test]
async fn a_window_is_bounded_and_tells_nothing_but_times() {
    let tenant = Tenant::new();
    let ada = tenant.create("users", json!({"name": "Ada", "role": "agent"})).await;
    let body = json!({
        "subject": "secret plan", "location": "secret place", "owner_id": ada["id"],
        "starts_at": "2026-03-23T08:00:00Z", "ends_at": "2026-03-23T09:00:00Z",
    });
    tenant.create("appointments", body).await;
    let get = async |rest: &str| tenant.get(&format!("/v1/calendar/free_busy?{rest}")).await;
    let asked = format!("users={}&from=2026-03-01T00:00:00Z", id_of(&ada));
    let answer = get(&format!("{asked}&to=2026-05-01T00:00:00Z")).await.expect(200);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    assert_eq!(answer.data()[0]["busy"].as_array().map(Vec::len), Some(1));

    let faults = async |rest: &str| get(rest).await.expect(400).faults();
    assert_eq!(
        faults(&format!("{asked}&to=2026-06-01T00:00:00Z")).await,
        ["?to out_of_range"]
    );
    assert_eq!(
        faults(&format!("{asked}&to=2026-01-01T00:00:00Z")).await,
        ["?to out_of_range"]
    );
    let missing = ["?users required", "?from required", "?to required"];
    assert_eq!(faults("").await, missing);
    let window = "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";
    assert_eq!(faults(&format!("users=ada&{window}")).await, ["?users invalid_value"]);
    let stranger = Tenant::new()
        .create("users", json!({"name": "Eve", "role": "agent"}))
        .await;
    let unknown = get(&format!("users={}&{window}", id_of(&stranger))).await;
    unknown.expect_faults(422, &["?users unknown_reference"]);
}

#[tokio::test]
async fn an_appointment_is_reminded_of_before_each_occurrence() {
    let tenant = Tenant::new();
    let soon = json!({
        "subject": "Round", "starts_at": in_minutes(15), "ends_at": in_minutes(30), "reminders": [10, 20],
        "recurrence": "FREQ=DAILY",
    });
    let soon = tenant.create("appointments", soon).await;
    let in_61_seconds = (Utc::now() + Duration::seconds(61)).to_rfc3339_opts(SecondsFormat::Micros, true);
    let close = json!({"subject": "Round", "starts_at": in_61_seconds, "ends_at": in_minutes(30), "reminders": [1]});
    let close = tenant.create("appointments", close).await;
    assert_ne!(close["next_reminder_at"], Value::Null);
    let reminded = async || (tenant.kinds_of_events(&close).await.len() > 1).then_some(());
    eventually("the reminder", reminded).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(tenant.kinds_of_events(&close).await, ["created", "reminded"]);
    let now = tenant
        .get(&format!("/v1/appointments/{}", id_of(&close)))
        .await
        .expect(200)
        .body;
    assert_eq!(now["next_reminder_at"], Value::Null);
    assert_eq!(
        tenant.kinds_of_events(&soon).await,
        ["created"],
        "what is over already is not made up for"
    );
}

/// The path of a calendar, from the address that was shown.
fn path_of(feed: &Answer) -> String {
    let url = feed.body["url"].as_str().expect("the address");
    url[url.find("/v1/").unwrap()..].to_owned()
}

#[tokio::test]
async fn a_calendar_program_reads_a_calendar_until_its_address_is_revoked() {
    let admin = Tenant::on(Server::for_log_ins());
    let ada = admin.user("ada", "agent").await;
    let caller = admin.as_logged_in(&admin.login("ada", PASSWORD).await.expect(200));
    let body = json!({
        "subject": "Round; weekly, at nine", "starts_at": "2099-03-23T08:00:00Z", "ends_at": "2099-03-23T09:00:00Z",
        "time_zone": "Europe/Berlin", "recurrence": "FREQ=WEEKLY", "except_on": ["2099-03-30"],
    });
    let appointment = caller.create("appointments", body).await;
    let task = caller
        .create("tasks", json!({"subject": "Call back", "due_on": "2099-03-24"}))
        .await;
    caller.create("tasks", json!({"subject": "some day"})).await;
    admin
        .create("tasks", json!({"subject": "of someone else", "due_on": "2099-03-24"}))
        .await;

    let make = || {
        let request = caller
            .request(Method::POST, "/v1/calendar/feeds")
            .header("Idempotency-Key", "one");
        request.json(&json!({"name": "My phone"}))
    };
    let feed = make().answer().await.expect(201);
    let again = make().answer().await.expect(201);
    assert_eq!(
        (&again.body["id"], &again.body["url"]),
        (&feed.body["id"], &Value::Null),
        "shown once"
    );
    let path = path_of(&feed);
    let listed = caller.get("/v1/calendar/feeds").await.expect(200);
    assert_eq!(listed.ids(), [feed.id()]);
    assert_eq!(listed.data()[0].get("url"), None);

    let stranger = admin.stranger();
    let calendar = stranger.get(&path).await.expect(200);
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    assert_eq!(calendar.header("cache-control"), "private, max-age=300");
    let has = |line: &str| {
        assert!(
            calendar.text.contains(&format!("{line}\r\n")),
            "no {line} in {}",
            calendar.text
        );
    };
    has("NAME:My phone");
    has(&format!("UID:{}@rapport", id_of(&appointment)));
    has("SUMMARY:Round\\; weekly\\, at nine");
    has("DTSTART;TZID=Europe/Berlin:20990323T090000");
    has("RRULE:FREQ=WEEKLY");
    has("EXDATE;TZID=Europe/Berlin:20990330T090000");
    has(&format!("UID:{}@rapport", id_of(&task)));
    has("DUE;VALUE=DATE:20990324");
    assert_eq!(calendar.text.matches("BEGIN:VTODO").count(), 1);

    let tag = calendar.header("etag").to_owned();
    let known = || {
        stranger
            .request(Method::GET, &path)
            .header("If-None-Match", &tag)
            .answer()
    };
    assert_eq!(known().await.expect(304).text, "");
    caller
        .patch(&format!("/v1/tasks/{}", id_of(&task)), &json!({"status": "done"}))
        .await
        .expect(200);
    assert!(!known().await.expect(200).text.contains("VTODO"));

    let revoke = format!("/v1/calendar/feeds/{}", feed.id());
    admin.delete(&revoke).await.expect_problem(403, "forbidden");
    caller.delete(&revoke).await.expect(204);
    stranger.get(&path).await.expect_problem(404, "not_found");
    caller.delete(&revoke).await.expect_problem(404, "not_found");
    let kinds = admin.kinds_of_events(&ada).await;
    assert!(
        kinds.ends_with(&["calendar_feed_created".to_owned(), "calendar_feed_revoked".to_owned()]),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn an_address_is_worth_nothing_when_it_is_guessed_or_its_user_is_gone() {
    let admin = Tenant::on(Server::for_log_ins());
    let ada = admin.user("ada", "agent").await;
    let caller = admin.as_logged_in(&admin.login("ada", PASSWORD).await.expect(200));
    let path = path_of(&caller.post("/v1/calendar/feeds", &json!({})).await.expect(201));
    let stranger = admin.stranger();
    stranger.get(&path).await.expect(200);
    let last = path.trim_end_matches(".ics").len() - 1;
    let other = if path.as_bytes()[last] == b'a' { "b" } else { "a" };
    let mut changed = path.clone();
    changed.replace_range(last..=last, other);
    stranger.get(&changed).await.expect_problem(404, "not_found");
    stranger
        .get("/v1/calendars/nonsense.ics")
        .await
        .expect_problem(404, "not_found");

    let user = format!("/v1/users/{}", id_of(&ada));
    admin.patch(&user, &json!({"active": false})).await.expect(200);
    stranger.get(&path).await.expect_problem(404, "not_found");
    admin.patch(&user, &json!({"active": true})).await.expect(200);
    stranger.get(&path).await.expect(200);
    admin.delete(&user).await.expect(204);
    stranger.get(&path).await.expect_problem(404, "not_found");
    admin.delete(&format!("{user}?purge=true")).await.expect(204);
    admin
        .post("/v1/calendar/feeds", &json!({}))
        .await
        .expect_problem(403, "forbidden");
}
