//! How content customers are with what became of their tickets.

use crate::harness::{Tenant, at_once, id_of};
use crate::tickets::{act, now, open, path_of};
use serde_json::json;

#[tokio::test]
async fn a_customer_says_once_how_content_it_is() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let ticket = open(&tenant, json!({})).await;
    let link = act(&tenant, &ticket, "satisfaction_link", json!({"valid_days": 7}))
        .await
        .expect(200)
        .body;
    let path = link["path"].as_str().unwrap();
    let stranger = tenant.stranger();
    let asked = stranger.get(path).await.expect(200).body;
    assert_eq!(asked, json!({"number": 1, "subject": ticket["subject"], "score": null}));

    let faults = ["/score out_of_range", "/comment invalid_length"];
    stranger
        .post(path, &json!({"score": 6, "comment": ""}))
        .await
        .expect_faults(422, &faults);
    let happy = json!({"score": 4, "comment": "Friendly, but slow."});
    let answers = at_once(8, |_| stranger.post(path, &happy)).await;
    let kept = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(kept, 1, "it is answered once");
    stranger
        .post(path, &json!({"score": 1}))
        .await
        .expect_problem(409, "already_answered");
    assert_eq!(stranger.get(path).await.expect(200).body["score"], 4);

    let rated = now(&tenant, &ticket).await;
    assert_eq!(
        (&rated["satisfaction_score"], &rated["satisfaction_comment"]),
        (&json!(4), &happy["comment"])
    );
    let found = tenant
        .get("/v1/tickets?filter[satisfaction_score][gte]=4")
        .await
        .expect(200);
    assert_eq!(found.ids(), [id_of(&ticket)]);
    assert_eq!(tenant.kinds_of_events(&ticket).await, ["created", "rated"]);

    let mut forged = path.to_owned();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    for wrong in [forged.as_str(), "/v1/satisfaction/nonsense", "/v1/satisfaction/%00"] {
        stranger.get(wrong).await.expect_problem(404, "not_found");
        stranger.post(wrong, &happy).await.expect_problem(404, "not_found");
    }
    // What is signed for another purpose opens nothing.
    open(&tenant, json!({})).await;
    let page = tenant.get("/v1/tickets?limit=1").await.expect(200);
    let cursor = page.next_cursor().unwrap();
    stranger
        .get(&format!("/v1/satisfaction/{cursor}"))
        .await
        .expect_problem(404, "not_found");
    act(&other, &ticket, "satisfaction_link", json!({}))
        .await
        .expect_problem(404, "not_found");
    let reader = tenant.as_role("reader");
    act(&reader, &ticket, "satisfaction_link", json!({})).await.expect(403);
    tenant.delete(&path_of(&ticket)).await.expect(204);
    stranger.get(path).await.expect_problem(404, "not_found");
}
