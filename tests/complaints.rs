//! Complaints: their categories and causes, and how often they come again.

use crate::harness::Tenant;
use crate::tickets::{customer, open, path_of};
use serde_json::json;

#[tokio::test]
async fn complaints_stand_in_a_tree_and_come_again() {
    let tenant = Tenant::new();
    let ada = customer(&tenant, "Ada").await;
    let complain = async |category: &str, cause: &str| {
        let complaint = json!({
            "category": category, "root_cause": cause,
            "redress": {"kind": "credit", "amount": {"amount": "5.00", "currency": "EUR"}},
        });
        open(
            &tenant,
            json!({"type": "complaint", "customer_id": ada, "complaint": complaint}),
        )
        .await
    };
    let first = complain("delivery/late", "courier").await;
    let second = complain("delivery/late", "snow").await;
    let third = complain("delivery/damaged", "courier").await;
    let fourth = complain("billing", "typing error").await;
    let earlier = [&first, &second, &third, &fourth].map(|ticket| &ticket["earlier_complaints"]);
    assert_eq!(earlier, [0, 1, 1, 0]);
    let branch = tenant
        .get("/v1/tickets?filter[complaint.category][starts_with]=delivery")
        .await
        .expect(200);
    assert_eq!(branch.data().len(), 3);
    let again = tenant
        .get("/v1/tickets?filter[earlier_complaints][gte]=1")
        .await
        .expect(200);
    assert_eq!(again.data().len(), 2);
    let otherwise = json!({"complaint": {"category": "delivery/late"}});
    let changed = tenant.patch(&path_of(&fourth), &otherwise).await.expect(200).body;
    assert_eq!(changed["earlier_complaints"], 2);
    assert_eq!(changed["complaint"]["redress"]["amount"]["amount"], "5.00");
    let question = json!({"type": "question", "complaint": null});
    let question = tenant.patch(&path_of(&fourth), &question).await.expect(200).body;
    assert_eq!(question["earlier_complaints"], json!(null));
    let often = json!({"rule": {"related": "tickets", "where": {"field": "type", "value": "complaint"},
                                "aggregate": {"fn": "count"}, "op": "gte", "value": 3}});
    let found = tenant.post("/v1/customers/search", &often).await.expect(200);
    assert_eq!(found.ids(), [ada]);
}
