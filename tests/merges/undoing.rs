//! Undoing a merge: what goes back, what stays, and in which order.

use super::{customer, merge, merge_with, person, said, two, undo};
use crate::harness::{Send, Tenant, id_of};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_survivor_gets_what_is_chosen_and_goes_back_as_far_as_nobody_changed_it() {
    let tenant = Tenant::new();
    let more = json!({"emails": [{"address": "ada@example.com"}], "tags": ["a"], "language": "en"});
    let ada = person(&tenant, "Ada", more).await;
    let more = json!({"emails": [{"address": "byron@example.com"}], "tags": ["b"], "language": "fr", "time_zone": "Europe/Paris",
                      "lifecycle": "loyal", "external_ids": [{"system": "erp", "id": "1"}], "phones": [{"number": "+493012345678"}]});
    let byron = person(&tenant, "Byron", more).await;
    let before = [customer(&tenant, &ada).await, customer(&tenant, &byron).await];
    let chosen = json!({"from": byron, "fields": {"name": "merged", "lifecycle": "merged", "tags": "survivor"}});
    let merged = merge_with(&tenant, &ada, chosen).await.expect(200);
    let now = &merged.body["customer"];
    assert_eq!(
        (&now["name"], &now["lifecycle"], &now["tags"]),
        (&json!("Byron"), &json!("loyal"), &json!(["a"]))
    );
    assert_eq!(
        (&now["language"], &now["time_zone"]),
        (&json!("en"), &json!("Europe/Paris"))
    );
    assert_eq!(now["emails"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        tenant.all("/v1/customers?filter[emails]=byron@example.com").await.len(),
        1
    );
    assert_eq!(tenant.all("/v1/customers?q=byron@ex").await.len(), 1);

    let path = format!("/v1/customers/{ada}");
    let since = json!({"time_zone": "Asia/Jakarta", "external_ids": [{"system": "erp", "id": "1"}, {"system": "crm", "id": "2"}]});
    tenant.patch(&path, &since).await.expect(200);
    let undone = undo(&tenant, &ada, &merged).await.expect(200);
    assert_eq!(undone.body["kept"], json!(["/time_zone"]));
    assert_eq!(said(&undone.body["restored"]), said(&before[1]));
    assert_eq!(undone.body["restored"], customer(&tenant, &byron).await);
    let mut expected = said(&before[0]);
    expected["time_zone"] = json!("Asia/Jakarta");
    expected["external_ids"] = json!([{"system": "crm", "id": "2"}]);
    expected["lifecycle_since"] = undone.body["customer"]["lifecycle_since"].clone();
    assert_eq!(said(&undone.body["customer"]), expected);
    assert_eq!(tenant.get("/v1/customers/by/erp/1").await.expect(200).id(), byron);
    assert_eq!(
        tenant
            .all("/v1/customers?q=byron@ex")
            .await
            .iter()
            .map(id_of)
            .collect::<Vec<_>>(),
        [byron.as_str()]
    );
}

#[tokio::test]
async fn undoing_leaves_what_was_made_since_and_is_done_once_and_in_order() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let clara = person(&tenant, "Clara", json!({})).await;
    let task = async |of: &str| {
        id_of(
            &tenant
                .create("tasks", json!({"subject": "Call", "customer_id": of}))
                .await,
        )
    };
    let [stays, reassigned, changed, purged] = [
        task(&byron).await,
        task(&byron).await,
        task(&byron).await,
        task(&byron).await,
    ];
    let first = merge(&tenant, &ada, &byron).await.expect(200);
    let new = task(&ada).await;
    let at = |task: &str| format!("/v1/tasks/{task}");
    tenant
        .patch(&at(&reassigned), &json!({"customer_id": clara}))
        .await
        .expect(200);
    tenant
        .patch(&at(&changed), &json!({"subject": "Write"}))
        .await
        .expect(200);
    tenant.delete(&format!("{}?purge=true", at(&purged))).await.expect(204);

    let second = merge(&tenant, &ada, &clara).await.expect(200);
    let refused = undo(&tenant, &ada, &first).await.expect_problem(409, "later_merge");
    assert!(refused.text.contains(&id_of(&second.body["merge"])));
    undo(&tenant, &ada, &second).await.expect(200);
    undo(&tenant, &clara, &first).await.expect_problem(404, "not_found");
    let third = merge(&tenant, &clara, &ada).await.expect(200);
    let gone = undo(&tenant, &ada, &first).await.expect_problem(409, "merged");
    assert_eq!(gone.body["merged_into_id"], clara);
    undo(&tenant, &clara, &third).await.expect(200);
    let stale = format!("/v1/customers/{ada}/merges/{}/undo", id_of(&first.body["merge"]));
    let stale = tenant
        .request(Method::POST, &stale)
        .header("If-Match", "\"1\"")
        .answer()
        .await;
    stale.expect_problem(412, "version_mismatch");

    let undone = undo(&tenant, &ada, &first).await.expect(200);
    assert_eq!(undone.body["returned"], json!({"tasks": 2, "lifecycle_changes": 1}));
    for (task, of) in [
        (&stays, &byron),
        (&reassigned, &clara),
        (&changed, &byron),
        (&new, &ada),
    ] {
        assert_eq!(tenant.get(&at(task)).await.expect(200).body["customer_id"], **of);
    }
    undo(&tenant, &ada, &first).await.expect_problem(409, "already_undone");
    let told = tenant.all(&format!("/v1/customers/{ada}/merges")).await;
    assert_eq!(
        told.iter().map(id_of).collect::<Vec<_>>(),
        [id_of(&first.body["merge"]), id_of(&second.body["merge"])]
    );
    assert!(told.iter().all(|merge| merge["undone_at"].is_string()));
    let page = tenant
        .get(&format!("/v1/customers/{ada}/merges?limit=1"))
        .await
        .expect(200);
    assert_eq!((page.data().len(), page.next_cursor().is_some()), (1, true));
    merge(&tenant, &ada, &byron).await.expect(200);
}
